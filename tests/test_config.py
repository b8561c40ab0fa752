"""Settings: checked when built, one flat name each."""

import math
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textrnn.config import ModelConfig, Recipe, TextConfig, TrainingConfig, setting_sections
from textrnn.errors import ConfigError
from textrnn.settings import Config


def test_settings_round_trip() -> None:
    recipe = Recipe.from_settings(hidden_size=64, dropout=0, tokenizer="characters", metric="macro_f1")
    assert Recipe.from_settings(**recipe.settings()) == recipe
    assert msgspec.json.decode(msgspec.json.encode(recipe), type=Recipe) == recipe
    assert (recipe.model.hidden_size, recipe.text.tokenizer) == (64, "characters")


def test_names_are_unique_over_the_sections() -> None:
    sections = [type(getattr(Recipe(), section)) for section in Recipe.__struct_fields__]
    assert len(setting_sections()) == sum(len(section.__struct_fields__) for section in sections)


def test_a_whole_number_where_a_float_is_meant_is_one_value() -> None:
    assert msgspec.json.encode(TrainingConfig(dropout=0)) == msgspec.json.encode(TrainingConfig(dropout=0.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": 0}, "hidden_size: expected `int` >= 1, got 0"),
        ({"hidden_size": "64"}, "hidden_size: expected `int`, got '64'"),
        ({"hidden_size": 6.5}, "hidden_size: expected `int`, got 6.5"),
        ({"hidden_size": True}, "hidden_size: expected `int`, got True"),
        ({"cell": "grru"}, "cell: expected one of elman, elman_relu, gru, lstm, mingru, minlstm, got 'grru'"),
        ({"dropout": 1.0}, "dropout: expected `float` < 1.0, got 1.0"),
        ({"learning_rate": math.nan}, "learning_rate: expected `float` > 0.0, got nan"),
        ({"learning_rate": -1}, "learning_rate: expected `float` > 0.0, got -1"),
        ({"max_gradient_norm": math.inf}, "max_gradient_norm: expected a finite number, got inf"),
        ({"pooling": None}, "pooling: expected one of mean, max, last, got None"),
        (
            {"recurrent_dropout": 0.5, "cell": "mingru"},
            "recurrent_dropout: expected 0, since cell 'mingru' has no recurrent weights, got 0.5",
        ),
        (
            {"r_drop": 1.0, "virtual_adversarial": 5.0},
            "r_drop: expected 0 beside adversarial losses, which read each text several times, too, got 1.0",
        ),
        ({"seed": -1}, "seed: expected `int` >= 0, got -1"),
    ],
)
def test_wrong_values(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Recipe.from_settings(**settings)


def test_a_typo_is_a_type_error_that_names_the_setting() -> None:
    with pytest.raises(TypeError, match="unknown setting 'hiden_size'; did you mean 'hidden_size'"):
        Recipe.from_settings(hiden_size=3)
    with pytest.raises(TypeError, match="unknown setting 'zzz'; there are tokenizer, max_length"):
        Recipe.from_settings(zzz=3)


@pytest.mark.parametrize("config", [TextConfig, ModelConfig, TrainingConfig])
def test_settings_cannot_be_changed(config: type[Config]) -> None:
    with pytest.raises(AttributeError):
        config().seed = 1  # type: ignore[attr-defined]


@given(
    st.dictionaries(
        st.sampled_from(list(setting_sections())), st.one_of(st.integers(), st.floats(), st.text(), st.none())
    )
)
def test_any_value_is_taken_or_refused_with_a_sentence(settings: dict[str, Any]) -> None:
    try:
        recipe = Recipe.from_settings(**settings)
    except ConfigError as error:
        assert str(error).partition(":")[0] in settings
    else:
        for name, value in settings.items():
            assert recipe.settings()[name] == value
