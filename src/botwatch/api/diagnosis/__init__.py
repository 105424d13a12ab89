"""What is wrong, found by looking: facts in, findings out.

A topic is one file of pure finders here and one file of reads beside it (`api/reads/facts_*.py`); the registry joins
them. A topic whose facts cannot be read says so: it is never taken for one without findings.
"""
