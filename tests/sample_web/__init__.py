"""The sample web: fictional companies' sites, what is wrong with them, what a careful reader finds, and their server.

sites/<domain>/ are files as a web designer leaves them; faults.toml is what the server does wrong on purpose;
truth.json names every signal and trap with its verbatim quote. Whoever adds a page also adds to truth.json all that
it states by the definitions of the signal codes: tests/unit/test_sample_web.py checks that the two agree.
"""
