"""The metrics that the dashboards and the alarms are made of: Tidemark's own, and those that AWS keeps of its parts."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "Tidemark"
MINUTE = cdk.Duration.minutes(1)


def own(service: str, name: str, statistic: str = "Sum", label: str = "", **dimensions: str) -> cloudwatch.Metric:
    """A metric that one of our services writes into its log."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service, **dimensions},
        statistic=statistic,
        period=MINUTE,
        label=label or None,
    )


def share(part: cloudwatch.IMetric, of: cloudwatch.IMetric, label: str) -> cloudwatch.MathExpression:
    """What share one metric is of another, in percent."""
    return cloudwatch.MathExpression(
        expression="100 * part / whole", using_metrics={"part": part, "whole": of}, period=MINUTE, label=label
    )
