"""What Sorami is measured against; run by the packages of `requirements.lock`, never by Sorami's own."""
