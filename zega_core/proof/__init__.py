"""Is the new version better? What is measured, and the rule that says so."""
