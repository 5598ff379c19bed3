"""Remote providers, one file each: the wire format of somebody else in the words of `base.RemoteProvider`.

How the engine uses them (a reference driver does exactly this in `tests/support/providers/driver.py`):

1. store `submitting` with a fresh submit key, then `submit`. `Submitted`: store the operation before anything else.
   `Finished`: go to 4. A retryable ProviderFailed: submit again after `retry_after` (a new key), any other is the end.
2. OutcomeUnknown, or a crash that left `submitting`: with `traits.idempotent_submit` submit again with the *same* key
   (after `retry_after`, if given);
   with `traits.findable` `find` (None: submit again with the same key); otherwise the job fails as outcome_unknown.
   An exception that is no ProviderFailed is a mistake of ours: after `submitting` it counts as OutcomeUnknown.
3. `poll` when `poll_after` seconds have passed, or when the provider's webhook wakes us (it proves nothing, the poll
   does). ProviderFailed is the end of the operation. `Running.trouble` is neither an end nor a reason to submit again.
4. `fetch` every medium at once (addresses live for minutes), decode it in the limited child, store it. A retryable
   failure repeats the fetch alone.
"""
