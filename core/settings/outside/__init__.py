"""What stands between this machine and the providers: proxies, and whose certificates count."""
