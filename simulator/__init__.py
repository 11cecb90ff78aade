"""The simulator: a till that posts sales, real or drawn, with faults on request."""
