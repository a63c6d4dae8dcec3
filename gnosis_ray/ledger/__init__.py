"""The ledger: everything that runs saw and decided, as a folder of Parquet datasets."""
