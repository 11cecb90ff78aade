"""What was done, so that who has the data and no code does the same. Every number comes from the code that does it."""

from __future__ import annotations

from tidemark.analysis import describe, explain, frame, leakage, learners, splits, supervised
from tidemark.analysis import unsupervised as shape
from tidemark.analysis.report.document import Block, Grid, Heading, Listing, Paragraph, Steps
from tidemark.analysis.report.study import Study
from tidemark.analysis.supervised import Supervised
from tidemark.analysis.unsupervised import Unsupervised
from tidemark.cubes import first_look


def methodology(study: Study) -> list[Block]:
    """The section."""
    return [
        Heading(1, "Methodology"),
        Paragraph(
            "Each step takes what the step before it leaves. Nothing is drawn at random but where a seed is named. "
            "Logarithms are natural; means are arithmetic; standard deviations divide by the number of rows unless it "
            "is said otherwise; quantiles are interpolated linearly between the two nearest rows (position "
            "(n − 1) × q, counted from 0). Skewness is the third central moment over the standard deviation's cube, "
            "both dividing by n. “Every n-th row” begins with the first. Every p that is printed or compared is after "
            "Holm's correction (step-down, and never smaller than the one before it), and two-sided unless it is said "
            "otherwise (χ² and H: the upper tail). Scikit-learn's algorithms are taken by their names there, with "
            "the settings that are named here and that version's defaults otherwise (section 2)."
        ),
        *_data(study),
        *_description(),
        *_identities(study),
        *(_shape(study.shape[0]) if study.shape else []),
        *_prediction(study.prediction[0]),
    ]


def _data(study: Study) -> list[Block]:
    found = study.frame
    rows = (
        f"All {found.rows:,} rows are taken, in the order in which they stand."
        if found.step == 1
        else f"Of {found.table_rows:,} rows, every {found.step}th is taken, from the first on, in the order in which "
        f"they stand: {found.rows:,} rows, so that at most {frame.MOST_ROWS:,} are."
    )
    kinds = [
        [
            feature.name,
            feature.kind,
            str(int((~_missing(study, feature.name)).sum())),
            ", ".join(feature.levels[:8]) + (", …" if len(feature.levels) > 8 else ""),
        ]
        for feature in found.features.values()
    ]
    return [
        Heading(2, "Data and preparation"),
        Paragraph(f"{study.source.about}. It is read as this query says (DuckDB's SQL):"),
        Listing(_query(study)),
        Paragraph(
            f"{rows} A cell that is empty, or holds no finite number in a column of numbers, is missing. Columns of "
            "text are categories, whose levels are ordered by how many rows have them, the most frequent first (equal "
            f"counts: by the alphabet). A category with more than {frame.MOST_LEVELS} levels keeps the "
            f"{frame.MOST_LEVELS - 1} most frequent and joins the rest as “{frame.OTHER}”. A column of times gives two "
            "features instead of itself: the hour (0 to 23, a number) and the day of the week (a category, Monday "
            "first), each where it differs among the rows and no other column tells it one to one. A column that holds "
            "one value only, and a category of which more than half of the rows have a level of their own, are left "
            "out."
        ),
        *(
            [Paragraph("Left out here: " + "; ".join(f"{one.column} ({one.reason})" for one in found.left_out) + ".")]
            if found.left_out
            else []
        ),
        Grid("The features, in their order.", ("feature", "kind", "rows with a value ", "levels"), kinds),
    ]


def _missing(study: Study, name: str) -> frame.Bools:
    missing: frame.Bools = study.frame.values[name] != study.frame.values[name]
    return missing


def _query(study: Study) -> str:
    """The query, with the file's name for its path."""
    sql = study.source.sql.strip()
    if sql.startswith("(") and sql.endswith(")"):
        sql = sql[1:-1].strip()
    lines = [line.strip() for line in sql.splitlines()]
    return "\n".join(_without_folder(line) for line in lines)


def _without_folder(line: str) -> str:
    parts = line.split("'")
    return "'".join(part.rpartition("/")[2] if part.startswith("/") else part for part in parts)


def _description() -> list[Block]:
    return [
        Heading(2, "Descriptive statistics"),
        Paragraph(
            "Of each number, over the rows that have it: mean, standard deviation (dividing by n − 1), least value, "
            "quartiles and largest value. A largest value is called a cap where the column has 20 distinct values or "
            f"more, at least {first_look.CAPPED:.1%} of the rows that have it and at least 10 stand at it, and at "
            f"least {first_look.PILED} times as many as at any of the five next smaller distinct values; its share "
            "is of all rows. Of each category, the number of rows of each level."
        ),
        Heading(2, "Dependence"),
        Paragraph(
            "Every pair of features is tested over the rows that have both. Two numbers: Spearman's ρ (ranks, ties by "
            "their mean rank), p from Student's t with n − 2 degrees. Two categories: Pearson's χ² without Yates' "
            "correction for p, and Cramér's V with Bergsma's correction of its bias for strength: with r rows, k "
            "columns and φ² = χ² ÷ n, take φ²′ = max(0, φ² − (r − 1)(k − 1) ÷ (n − 1)), r′ = r − (r − 1)² ÷ (n − 1), "
            "k′ likewise, V = √(φ²′ ÷ (min(r′, k′) − 1)). A number and a category: the Kruskal-Wallis H over the "
            "levels, corrected for ties, for p; for strength ε = √max(0, (H − k + 1) ÷ (n − k)) with k levels. All "
            f"p-values are corrected together by Holm. A dependence is reported where p ≤ {describe.CHANCE} and the "
            f"strength is at least {describe.WEAK}. Pairs are ranked by strength without its sign."
        ),
    ]


def _identities(study: Study) -> list[Block]:
    return [
        Heading(2, "Identities"),
        Paragraph(
            f"A number is arithmetic of others where, over the rows that have all of them, it is a product of one to "
            f"{leakage.MOST_TERMS} of them times a constant, a quotient of such, or a sum of them with constant "
            f"factors, and what is left over is below {leakage.HOLDS:g} × √n of its standard deviation in every row. "
            "Sets of columns are tried from the smallest on; one that holds a set already found is not tried. A "
            "category tells another where each of its levels goes with one level of that, in all rows that have both, "
            f"both have two levels or more, and it has at most one level for every {leakage.OFTEN} rows."
        ),
        Paragraph(
            "Found: " + "; ".join(identity.words for identity in study.identities) + "."
            if study.identities
            else "None was found."
        ),
    ]


def _shape(found: Unsupervised) -> list[Block]:
    scaled = [
        [one.column, "logarithm" if one.logged else "as it is", f"{one.mean:.5g}", f"{one.deviation:.5g}"]
        for one in found.scaled
    ]
    left_out = ", ".join(found.left_out)
    step = -(-found.rows // shape.MOST_CLUSTERED)
    size = -(-found.rows // step)
    return [
        Heading(2, "Shape"),
        Paragraph(
            "The numbers of the table itself (not the parts of times) are compared"
            + (f", but for {left_out}, which is arithmetic of others" if left_out else "")
            + f". A column whose values are all above 0 and whose skewness is above {shape.SKEWED:g} is replaced by "
            "its "
            "logarithm. Each is standardised: less its mean, over its standard deviation, both over the rows that have "
            f"it; a missing value becomes 0, and what lies beyond ±{shape.REACH:g} is set to ±{shape.REACH:g}."
        ),
        Grid("How the columns are scaled.", ("column", "taken", "mean ", "deviation "), scaled),
        Paragraph(
            f"The control is {shape.SHUFFLES} shuffled tables: numpy.random.default_rng({shape.SEED}) permutes the "
            "standardised columns one after the other, in their order, for the first table, then for the second, and "
            "so on, by one generator (Generator.permutation of each column)."
        ),
        Steps(
            [
                "Components: the eigenvectors of the covariance matrix of the standardised columns, over all rows. A "
                "component's share is its eigenvalue over the sum of all. The control of the component of a rank is "
                f"the largest share of that rank in the shuffled tables. It is real where its share is above "
                f"{1 + shape.LEAST_GAP:g} times that and every component before it is real. Of each eigenvector the "
                "largest loading in size is made positive.",
                f"Groups: a sample of {_every(step, shape.MOST_CLUSTERED)} ({size:,} rows) is clustered by KMeans "
                f"with k from {shape.KS[0]} to {shape.KS[-1]}, n_init={shape.STARTS}, random_state={shape.SEED}. Its "
                "silhouette (silhouette_score, over the standardised columns) is taken over every n-th row of the "
                f"sample, n the smallest with at most {shape.MOST_MEASURED:,} rows left; only the score is thinned "
                "so, not the fit. The same, fitted anew, for the same rows of each shuffled table: mean and largest "
                "silhouette. Stability: k-means with the same settings is fitted to the 1st, 3rd, 5th … rows of the "
                "sample, and to the 2nd, 4th …; both label the whole sample (predict); the adjusted Rand index of "
                "the two labellings. Groups of a k are real where the silhouette is above the control's largest, "
                f"above its mean by {shape.LEAST_GAP:g} or more, and the stability is at least {shape.STABLE:g}. Of "
                "the real ones the k whose silhouette is furthest above the control's mean is taken; all rows are "
                "labelled by the nearest centre of its fit to the sample (predict), and groups are numbered by size, "
                "the largest first. A group is described by its share of all rows and the arithmetic means of its "
                "columns as they stand in the table, over its rows that have them.",
                f"Dense groups: HDBSCAN over the sample of Groups, with min_cluster_size = max(20, ⌊rows ÷ 100⌋), rows "
                f"being those that it is fitted to ({max(20, size // 100)} here, {max(20, (size + 1) // 2 // 100)} for "
                "half of them), all else by default; over the same rows of the first shuffled table; and over the 1st, "
                "3rd … rows of the sample, whose adjusted Rand index with the labels that the same rows had before "
                "is the stability (rows without a group count as a group). Shares are of the sample. The silhouette "
                "is that of the rows in groups, thinned as in Groups; 0 of fewer than two groups. Real: at least 2 "
                f"groups, a silhouette above the control's by {shape.LEAST_GAP:g} or more, stability at least "
                f"{shape.STABLE:g}.",
                f"Rows that stand apart: IsolationForest with n_estimators={shape.TREES}, random_state={shape.SEED}, "
                "fitted to all rows; a row's score is −score_samples. The threshold is the "
                f"{shape.APART:g} quantile of the scores that the same forest gives the first shuffled table. Real: "
                f"the share of rows above it is at least {2 * (1 - shape.APART):.2g}, and a one-sided binomial test "
                f"against {1 - shape.APART:.2g} gives p ≤ {shape.CHANCE:g}.",
                f"A plane: every n-th row, n the smallest with at most {shape.MOST_PROJECTED:,} rows left, by TSNE "
                f"with perplexity={shape.PERPLEXITY}, init='pca', max_iter={shape.STEPS}, random_state={shape.SEED}. "
                f"Trustworthiness with {shape.NEIGHBOURS} neighbours of that plane, against the standardised columns "
                "of the same rows; of the same rows on the first two components (those of all rows); and of t-SNE of "
                "the same rows of the first shuffled table, against that table's columns.",
            ]
        ),
    ]


def _prediction(found: Supervised) -> list[Block]:
    classes = found.task == "class"
    target = found.target
    features = ", ".join(feature.name for feature in found.features)
    out = [leak.column for leak in found.leaks if leak.left_out]
    aim = (
        f"The classes are the levels of {target}: {', '.join(found.classes)} (those from the "
        f"{supervised.MOST_CLASSES}th on are joined as “other”)."
        if classes
        else f"The logarithm of {target} is learnt and all skills are of it, since all values are above 0 and their "
        f"skewness is above {supervised.SKEWED:g}."
        if found.logged
        else f"{target} is learnt as it is (a logarithm is taken only where all values are above 0 and their skewness "
        f"is above {supervised.SKEWED:g})."
    )
    return [
        Heading(2, "Prediction"),
        Paragraph(
            f"{target} is predicted for the {found.learnt:,} rows that have it, from: {features}. {aim}"
            + (f" Not learnt from, because they are tied to it by an identity: {', '.join(out)}." if out else "")
        ),
        Paragraph(_split(found)),
        Steps(_steps(found)),
    ]


def _split(found: Supervised) -> str:
    if found.split == "time":
        return (
            f"Rows are ordered by {found.time} (equal times: by their order in the table) and cut into "
            f"{splits.FOLDS + 1} blocks: row i of n, counted from 0, is in block ⌊{splits.FOLDS + 1} × i ÷ n⌋. For "
            f"each block k from 1 to {splits.FOLDS}, models learn from all blocks before it and are judged on it. A "
            "cluster is a day (UTC)." + _few_clusters()
        )
    if found.split == "place":
        return (
            "The country is cut into square cells: with the smallest longitude and latitude of the rows, and a side "
            f"s = (the larger of both ranges) ÷ {splits.CELLS_ACROSS} = {found.cell:.4f}°, a row's cell is east = "
            f"⌊(longitude − smallest) ÷ s⌋ and north = ⌊(latitude − smallest) ÷ s⌋. The cells that hold rows are "
            f"numbered from 0 in the order of east, then north; the fold of a row is its cell's number modulo "
            f"{splits.FOLDS}. Each fold is judged by models of the others. A cluster is a cell." + _few_clusters()
        )
    return (
        f"The fold of a row is its number, counted from 0 among the rows that have the target, modulo {splits.FOLDS}. "
        "Each fold is judged by models of the others. A cluster is a row."
    )


def _few_clusters() -> str:
    return f" (Were there fewer than {splits.FEWEST_CLUSTERS}, each row would be its own.)"


def _steps(found: Supervised) -> list[str]:
    classes = found.task == "class"
    loss = (
        "the log loss of a row, −ln of the chance of its true class (chances below 10⁻⁶ are set there and all divided "
        "by their sum)"
        if classes
        else "the squared error of a row"
    )
    linear = (
        f"LogisticRegression with C={learners.LOGISTIC_C:g}, max_iter={learners.LOGISTIC_ROUNDS:,}"
        if classes
        else f"Ridge with alpha={learners.RIDGE_ALPHA:g}"
    )
    trees = "HistGradientBoostingClassifier" if classes else "HistGradientBoostingRegressor"
    explained = [
        "Beside the other algorithm: the share of its summed loss that the best saves, and p of none, by the formulas "
        "of Skill above, with g the other's losses less the best's and b the other's; this p stands alone.",
        "Were rows split one by one: the best algorithm once more, where the fold of a row is its number (counted "
        f"from 0) modulo {splits.FOLDS}; its skill over the baseline of those folds.",
        "Importance: in each fold, the values of one feature are exchanged among the fold's n judged rows, in the "
        f"order of the table and counted from 0: row i takes that of row ({explain.STRIDE:,} × i) modulo n "
        f"({explain.STRIDE:,} is raised by 2 until it has no divisor in common with n). The mean loss then, less the "
        "mean loss before, over the baseline's mean loss in that fold; the mean over the folds. Its 95 % interval is "
        "Student's with one degree less than folds, times the folds' standard deviation (dividing by their number "
        "less 1) over the root of their number.",
        "Partial dependence: the best algorithm is fitted to all rows. For each of the "
        f"{explain.FOLLOWED} most important features: of a number, the quantiles (i + 0.5) ÷ {explain.PLACES}, over "
        f"all rows that have it, for i from 0 to {explain.PLACES - 1}; of a category, every level. The feature is "
        f"set to that value in every n-th row, n the smallest with at most {explain.AVERAGED:,} rows left, and the "
        "mean of the predictions is taken"
        + (
            ", of the first class's chance."
            if classes
            else " (each taken back from its logarithm)."
            if found.logged
            else "."
        ),
        "Parts of the table: each level of each category, and each quarter of each number (cut at its quartiles over "
        f"the judged rows; a value at a quartile counts above it), with {explain.FEWEST} rows or more inside and "
        "outside; rows without a value are in no part of that column, but outside all. Its mean loss over that of all "
        "judged rows. Whether its mean loss differs from that of the rows outside is tested two-sided: with a row's "
        "part being its loss less the mean of its side, over the number of rows of its side, and counted negative "
        "outside, t = (mean inside − mean outside) ÷ √(c ÷ (c − 1) × Σ(sum of the parts in a cluster)²) over all c "
        "clusters, with as many degrees as clusters hold rows inside, less 1; Holm's correction over all parts (one "
        f"that a single cluster holds is not tested). Worse: more than 1, and p ≤ {explain.CHANCE}.",
        f"Calibration: the judged rows in {explain.SLICES} parts of nearly equal size by what was predicted (equal "
        "predictions by the order of judging: by fold, then by the table's order; the first parts are one row larger "
        "where they are not equal): mean of what was predicted, and of what was true"
        + (", of the first class." if classes else ", both as they were learnt."),
    ]
    if not classes:
        explained.append(
            f"Intervals: in each fold, the share of rows whose residual is in size at most the {supervised.COVERED:g} "
            "quantile of the sizes of all other folds' residuals, taken together."
        )
    figures = (
        "Log loss, accuracy (the likeliest class), Brier score (the sum over the classes of the squared difference) "
        "and AUC (the mean over classes of each against the rest) over all judged rows together."
        if classes
        else f"RMSE, MAE and bias (predicted less true), in the units of {found.target}"
        + (" (predictions are taken back by the exponential)" if found.logged else "")
        + ", over all judged rows together."
    )
    return [
        ("Baseline: the share of each class" if classes else "Baseline: the mean")
        + " among the rows that are learnt from.",
        f"Linear: {linear}. A number is less its mean over its standard deviation, after missing values are filled "
        "with the median; the median, and after filling the mean and the deviation, are those of the rows that are "
        "learnt from. A category has a column of 0 and 1 for each level, in the order of the levels, all 0 where it "
        "is missing; these are not standardised. Numbers come first.",
        f"Trees: {trees} with learning_rate={learners.RATE:g}, max_iter={learners.ROUNDS}, "
        f"max_leaf_nodes={learners.LEAVES}, min_samples_leaf={learners.IN_A_LEAF}, early_stopping=False, "
        "random_state=0; features in their order, numbers as they are, categories as the places of their levels and "
        "told so by categorical_features, missing values as NaN.",
        f"Skill: with the loss being {loss}, 1 less the sum of the losses over that of the baseline, over all judged "
        "rows together (in a fold: over its rows). With gain g (baseline's losses less the model's) and b "
        "(baseline's) summed in each of c clusters, its standard error is √(c ÷ (c − 1) × Σ(g − skill × b)²) ÷ Σb, "
        "and its 95 % interval takes Student's t with c − 1 degrees. No gain is tested one-sided by t = Σg ÷ √(c ÷ "
        "(c − 1) × Σ(g − mean of g)²), the mean being over clusters, with c − 1 degrees and Holm's correction for "
        "both algorithms.",
        f"An algorithm is better than the baseline where p ≤ {supervised.CHANCE} and its skill is at least "
        f"{supervised.LEAST_GAIN}. The best is the one of those with the largest skill. Where there is none, the "
        "analysis ends here.",
        figures,
        *(explained if found.best else []),
    ]


def _every(step: int, most: int) -> str:
    if step == 1:
        return "all rows"
    nth = {2: "2nd", 3: "3rd"}.get(step, f"{step}th")
    return f"every {nth} row (the smallest step with at most {most:,} rows left)"
