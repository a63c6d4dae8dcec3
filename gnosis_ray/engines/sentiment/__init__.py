"""What people say, pay for and chase: news, option flow and technical sentiment, fused."""
