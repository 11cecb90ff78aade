"""`tidemark deploy`, `destroy`, `doctor`: an AWS account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidemark.cli.console import Steps, err, out, print_json
from tidemark.errors import Difference, Misuse
from tidemark.local.home import Home, write_atomically

if TYPE_CHECKING:
    from rich.console import Console

    from tidemark.deployment.account import Finding
    from tidemark.deployment.deploy import Ready
    from tidemark.deployment.destroy import Left

LONGEST_DIFF = 200  # lines
MARKS = {"ok": "[green]ok[/]     ", "missing": "[red]missing[/]", "unknown": "[yellow]unknown[/]"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(deploy)
    app.command()(destroy)
    app.command()(doctor)


def deploy(
    profile: Annotated[
        str | None,
        typer.Option(help="How large: dev or prod (docs/deploy.md). Not AWS's profile, that is AWS_PROFILE.  [dev]"),
    ] = None,
    only: Annotated[
        str, typer.Option(help="These stacks alone, with commas between them: TidemarkCore, TidemarkLive, ….")
    ] = "",
    domain: Annotated[str | None, typer.Option(help="A domain of your own for the pages.")] = None,
    certificate_arn: Annotated[str | None, typer.Option(help="The domain's certificate, in us-east-1.")] = None,
    prefect_api_url: Annotated[
        str | None,
        typer.Option(help="Prefect Cloud's API, in place of a server of your own; the key is read of PREFECT_API_KEY."),
    ] = None,
    alert_email: Annotated[
        str | None, typer.Option(help="The address that alarms are sent to; AWS asks there for consent.")
    ] = None,
    redis_url: Annotated[
        str | None,
        typer.Option(help="For containers elsewhere, as compose.yaml's: their Redis. Then the Core stack alone."),
    ] = None,
    environment: Annotated[
        Path | None,
        typer.Option(help="For containers elsewhere: a file to write their settings to, a token among them."),
    ] = None,
    change_profile: Annotated[
        bool, typer.Option("--change-profile", help="Let a deployment of the other profile become this one.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Deploy to the AWS account of the environment: what would change and cost is shown first.

    Options are kept: with the next version, what is not given stays as it is, and an empty one ('') is taken away.
    """
    from tidemark.deployment.account import Account  # AWS's clients, that other commands need not wait for
    from tidemark.deployment.deploy import Deployment, Wanted

    say, account = Steps(), Account()
    deployment = Deployment(account, _folder(), say, say.now)
    for finding in deployment.check():
        _show(finding, err)
    told = {
        "profile": profile,
        "domain": domain,
        "certificate_arn": certificate_arn,
        "prefect_api_url": prefect_api_url,
        "alert_email": alert_email,
        "redis_url": redis_url,
    }
    ready = deployment.prepare(Wanted(told, tuple(filter(None, only.split(","))), change_profile))
    _preview(ready)
    if not yes and not typer.confirm(f"Deploy {', '.join(ready.names)} to {account.where}?"):
        raise typer.Abort
    done = deployment.perform(ready)
    say(f"deployed to {account.where}")
    if environment:
        write_atomically(environment, "".join(f"{name}={value}\n" for name, value in done.settings.items()))
    if as_json:
        told_back = {"where": account.where, "urls": done.urls, "token": done.token}
        print_json({**told_back, "distribution": done.distribution})
        return
    for name, url in done.urls.items():
        out.print(f"{name:12} {url}", markup=False)
    out.print(f"{'token':12} {done.token}", markup=False)
    err.print("The token may do everything for 30 days. Invite people to the pages: docs/deploy.md tells how.")
    if own := ready.options.get("domain"):
        err.print(f"Point {own} to {done.distribution}: a CNAME record, or an alias in Route 53.", markup=False)


def destroy(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Delete everything from the AWS account of the environment, and see that nothing is left."""
    from tidemark.deployment.account import Account
    from tidemark.deployment.destroy import Destruction

    say, account = Steps(), Account()
    err.print(f"account {account.id}, {account.where}")
    destruction = Destruction(account, say)
    if not destruction.stacks:
        err.print("none of Tidemark's stacks is there")
    for stack in destruction.stacks:
        count = sum(part.stack == stack.name for part in destruction.parts)
        err.print(f"{stack.name}: {count} resources, {stack.status.lower()}")
    for part in destruction.kept:
        err.print(f"kept on purpose ({part.kept.lower()}): {part.kind} {part.identifier}", markup=False)
    if destruction.stacks and not yes:
        typed = typer.prompt("All data in them will be gone. To go on, type the account's number")
        if typed != account.id:
            raise Misuse("that is not the account's number: nothing was touched")
    left = destruction.perform()
    if as_json:
        print_json({"where": account.where, "kept": left.kept, "going": left.going, "stray": left.stray})
    _tell(left)


def _tell(left: Left) -> None:
    for arn in left.kept:
        err.print(f"kept on purpose: {arn}", markup=False)
    for arn in left.going:
        err.print(f"deleted; AWS forgets it by itself: {arn}", markup=False)
    if left.stray:
        raise Difference("these carry the project's tag and are still there:\n  " + "\n  ".join(left.stray))
    err.print("nothing else with the project's tag is left")


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """What this machine and the AWS account of the environment have, and what they lack.

    Ends with 1 where something is missing.
    """
    from tidemark.deployment import doctor as checks
    from tidemark.deployment.account import Account

    found = {"this machine": checks.machine(Home()), "AWS": Account().findings()}
    if as_json:
        print_json({where: [finding._asdict() for finding in findings] for where, findings in found.items()})
    else:
        for where, findings in found.items():
            out.print(f"[bold]{where}[/]")
            for finding in findings:
                _show(finding, out)
    missing = [finding.what for findings in found.values() for finding in findings if finding.state == "missing"]
    if missing:
        raise Difference(f"missing: {', '.join(missing)}")


def _preview(ready: Ready) -> None:
    from tidemark.costs import at_rest, per_sale
    from tidemark.deployment.cdk import templates

    lines = ready.difference.splitlines()
    for line in lines[:LONGEST_DIFF]:
        err.print(line, markup=False)
    if len(lines) > LONGEST_DIFF:
        err.print(f"… and {len(lines) - LONGEST_DIFF} more lines, in {_folder() / 'cdk-diff.log'}", markup=False)
    made = {name: template for name, template in templates(ready.assembly).items() if name in ready.names}
    usd = sum(line.usd for line in at_rest.lines(made))
    selling = sum(line.usd for line in per_sale.lines())
    err.print(f"about ${usd:.0f} a month at rest, and ${selling:.2f} a million sales; `tidemark cost` shows every line")


def _show(finding: Finding, where: Console) -> None:
    where.print(f"  {MARKS[finding.state]} {finding.what}: ", end="")
    where.print(finding.words + (f"; {finding.remedy}" if finding.state == "missing" else ""), markup=False)


def _folder() -> Path:
    return Home().path / "aws"
