"""The elasticity engine: how many dollars it takes to move the price, up and down."""
