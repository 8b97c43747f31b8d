"""The record of processing: what is kept about shoppers (and staff), declared field by field and checked against the code."""
