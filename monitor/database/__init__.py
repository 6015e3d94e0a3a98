"""Tables, migrations, transactions, leases."""
