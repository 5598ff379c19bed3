"""Fakes of remote providers: the documented wire format, errors and half-answers included, with a ledger."""
