"""The features of the sentiment engine, with units, meaning and source."""

from __future__ import annotations

from gnosis_ray.schemas.feature_spec import FeatureSpec

HUTTO = "Hutto, Gilbert, VADER (ICWSM 2014); Malo et al., Good debt or bad debt (JASIST 2014)"
PAN = "Pan, Poteshman (2006), The Information in Option Volume for Future Stock Prices"
BANDS = "Wilder (1978); Bollinger (2001); Keltner bands on ATR"

NEWS_FEATURES = (
    FeatureSpec("news_items", "count", "Different items in the window, each headline once"),
    FeatureSpec("news_duplicates", "count", "Repeats of them that were left out"),
)

FLOW_FEATURES = (
    FeatureSpec("flow_contracts", "contracts", "Traded near the money, up to max_dte"),
    FeatureSpec("flow_call_share", "fraction", "Calls among them"),
    FeatureSpec("flow_unusual_share", "fraction", "Of |delta|-weighted volume, traded beyond a multiple of interest"),
)

SOURCE_FEATURES = (
    FeatureSpec("news_sentiment_score", "-1 to 1", "Mean tone of the items, by age, source and focus", HUTTO),
    FeatureSpec("news_sentiment_confidence", "0 to 1", "Weight of the items, times how far they agree"),
    FeatureSpec("flow_sentiment_score", "-1 to 1", "Calls' share of option volume against its norm", PAN),
    FeatureSpec("flow_sentiment_confidence", "0 to 1", "Volume, share with a delta, and freshness, capped"),
    FeatureSpec("technical_sentiment_score", "-1 to 1", "Mean of RSI 14, Bollinger %b and Keltner position", BANDS),
    FeatureSpec("technical_sentiment_confidence", "0 to 1", "How far the indicators agree, and freshness, capped"),
)

FUSED_FEATURES = (
    FeatureSpec("sentiment_score", "-1 to 1", "Mean of the sources' scores, weighted by their confidence"),
    FeatureSpec("sentiment_confidence", "0 to 1", "Sum of the sources' confidences over the number configured"),
    FeatureSpec("sentiment_energy", "0 to 1", "|score| times confidence"),
)

SENTIMENT_FEATURES = FUSED_FEATURES + SOURCE_FEATURES + NEWS_FEATURES + FLOW_FEATURES
