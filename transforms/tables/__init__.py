"""Sharded parquet tables: row types, shard commit, the ledger, the flow of items through a chunk."""
