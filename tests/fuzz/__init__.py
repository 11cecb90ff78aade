"""What comes from outside, fuzzed: `make fuzz` tries inputs that a fuzzer invents, led by the lines they reach.

Each target (`targets/`) takes any bytes. What it lets come out, and what must hold of it, stands in the target; what
the fuzzer kept of its inputs, in `corpus/`; what was once found wrong, in `found/`. `make test` tries both again.
"""
