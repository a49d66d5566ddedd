"""Capture and replay: `minima.compile` and what it is made of.

A `Tape` is what a run did, a `Plan` its steps on values, passes rewrite plans, an executor makes a
plan something to call.
"""
