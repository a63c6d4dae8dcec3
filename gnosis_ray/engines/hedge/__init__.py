"""The hedge engine: what dealers must do when price, volatility or time move."""
