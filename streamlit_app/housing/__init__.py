"""The page of housing prices."""
