"""Tables made of Online Retail's lines, each a thing that people ask about: a basket, a customer, an hour.

All of them take lines that were sold (no cancellation, a positive quantity and price); but for the hours, of known
customers only. What a row says of the past, it says of what was known before it.
"""

from __future__ import annotations

ABOUT = {
    "baskets": "One row a basket, with what was known of its customer before",
    "customers": "One row a customer: days since the last basket, how many, and their value",
    "hours": "One row an hour with sales, with the items sold then, and before",
}

_LINES = """
    line AS (
        SELECT "InvoiceNo" AS invoice, "InvoiceDate" AS moment, "CustomerID" AS customer, "Country" AS country,
            "Quantity" AS quantity, "Quantity" * "UnitPrice" AS value
        FROM read_csv('$path')
        WHERE "InvoiceNo" NOT LIKE 'C%' AND "Quantity" > 0 AND "UnitPrice" > 0
    ),
    basket AS (
        SELECT invoice, min(moment) AS invoiced_at, min(customer) AS customer, min(country) AS country,
            round(sum(value), 2) AS value
        FROM line WHERE customer IS NOT NULL GROUP BY invoice
    )
"""

_QUERIES = {
    "baskets": """
    WITH $lines
    SELECT invoiced_at, value, country,
        count(*) OVER before AS baskets_before,
        exp(avg(ln(value)) OVER before) AS usual_value,
        lag(value) OVER (PARTITION BY customer ORDER BY invoiced_at, invoice) AS last_value,
        date_diff('hour', lag(invoiced_at) OVER (PARTITION BY customer ORDER BY invoiced_at, invoice), invoiced_at) / 24
            AS days_since_last
    FROM basket
    WINDOW before AS (
        PARTITION BY customer ORDER BY invoiced_at, invoice ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
    ORDER BY invoiced_at, invoice
    """,
    "customers": """
    WITH $lines
    SELECT date_diff('day', max(invoiced_at), (SELECT max(invoiced_at) FROM basket)) + 1 AS days_since_last,
        count(*) AS baskets, round(sum(value), 2) AS value, min(country) AS country
    FROM basket GROUP BY customer ORDER BY customer
    """,
    "hours": """
    WITH $lines,
    sold AS (SELECT date_trunc('hour', moment) AS began, sum(quantity)::BIGINT AS items FROM line GROUP BY began)
    SELECT sold.began AS sold_at, sold.items AS items, week.items AS same_hour_last_week,
        day.items AS same_hour_yesterday, hour.items AS hour_before,
        avg(sold.items) OVER (ORDER BY sold.began RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND INTERVAL 1 HOUR PRECEDING)
            AS mean_of_last_week
    FROM sold
    LEFT JOIN sold AS week ON week.began = sold.began - INTERVAL 7 DAYS
    LEFT JOIN sold AS day ON day.began = sold.began - INTERVAL 1 DAY
    LEFT JOIN sold AS hour ON hour.began = sold.began - INTERVAL 1 HOUR
    ORDER BY sold.began
    """,
}

QUERIES = {name: query.replace("$lines", _LINES) for name, query in _QUERIES.items()}
