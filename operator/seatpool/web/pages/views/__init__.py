"""Makes what each page shows from the answers of `explain`. Pure: no request, no rights, no cluster, no HTML."""
