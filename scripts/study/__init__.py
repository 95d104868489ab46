"""The study: what do codons and amino acids of a species know of each other?"""
