"""What the description of the API cannot say, for schemathesis. test/schemathesis_test.go runs it."""

import schemathesis


def nulls(value):
    """Whether there is a member that is null."""
    if isinstance(value, dict):
        return any(v is None or nulls(v) for v in value.values())
    return isinstance(value, list) and any(nulls(v) for v in value)


@schemathesis.hook
def filter_case(context, case):
    """A member that is null is taken for one that is absent, which is no mistake of who sends it."""
    return case.meta is None or case.meta.generation.mode.is_positive or not nulls(case.body)
