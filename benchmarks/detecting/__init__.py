"""The detection benchmark: record the zoo's runs once, judge them as often as rules change."""
