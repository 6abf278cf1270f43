"""Tiny random models of the architectures that crates/encoder runs, and their vectors.

    pip install torch sentence-transformers model2vec sentencepiece
    python scripts/golden/encoders.py

writes crates/encoder/tests/models/NAME and crates/encoder/tests/golden/encoders.json, the same bytes at every
run. Vectors are those of `SentenceTransformer.encode`, of the files as they lie there. But of `nomic-bert`,
as the hub has such models, transformers 5 reads the weights alone: its vectors are taken with the
configuration that transformers writes. Of model2vec's files they are those of `StaticModel.encode`.
"""

import json
import math
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

# Sums of several threads would differ in their last digits from run to run.
os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")

import model2vec
import numpy as np
import sentence_transformers
import sentencepiece
import tokenizers
import torch
import transformers
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Dense, Normalize, Pooling, StaticEmbedding, Transformer,
)
from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers import models as kinds
from tokenizers import trainers

OUT = Path(__file__).resolve().parents[2] / "crates" / "encoder" / "tests"
MODELS, GOLDEN = OUT / "models", OUT / "golden" / "encoders.json"

# What the tokenizers learn their vocabularies of.
SENTENCES = """
The food was great and the staff were friendly.
The room was small, the bed was hard and the staff never answered.
I would recommend this place to anyone who likes quiet mornings.
We waited for forty minutes and nobody came to take the order.
Prices went up by 12% in 2023; the market fell the next day.
She writes about the weather, the market and the price of bread.
Query: what is the best restaurant near the station?
Represent this sentence for searching relevant passages.
A search query and a search document are read in different ways.
Passage: the station was built in 1901 and rebuilt in 1954.
Crème brûlée, café au lait and a naïve façade in São Paulo.
El señor Ángel cocina paella con azafrán en su pequeña cocina.
Der Zug fährt über die Brücke und hält an jedem größeren Bahnhof.
東京 の 天気 は 晴れ です 。
I paid $1,299.99 for a phone that broke after 3 days!
Is it worth it? No, it is not (at least not for me).
The second line is longer than the first line of the letter.
They were searching for answers, but nobody was answering questions.
""".strip().splitlines()

TEXTS = [
    "",
    "market",
    "Crème brûlée à la carte, naïve façade — el señor Ángel",
    "東京の天気は晴れ 🌞 👍🏽 ｆｕｌｌ ﬁne e\u0301",
    "THE FOOD WAS GREAT AND THE STAFF WERE FRIENDLY",
    "first line\nsecond  line\twith   gaps, \u00a0 and a soft\u00adhyphen ",
    # Beyond every length here, that of model2vec (512) too.
    " ".join(SENTENCES * 2),
    "<|endoftext|>",
    "[SEP] [MASK] or <mask> </s> said in so many words",
    "In 2024, 3.14% of $1,299.99 (approx.) went to a_b@c.org -- #1?!",
    "The room was quiet.",
    "She never answered the question, but the staff at the station were friendly and "
    "would take the order of anyone who waited.",
    # Longer than a word may be.
    "a " + "never" * 25 + " ending word",
    "   ",
]

BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
BERT_NAMES = dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], BERT))
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>"]
# Of some masks the space before belongs to the token.
MASK, BERT_MASK = (
    AddedToken(mask, lstrip=True, normalized=False, special=True) for mask in ("<mask>", "[MASK]")
)
ROBERTA_NAMES = dict(
    bos_token="<s>", cls_token="<s>", pad_token="<pad>", eos_token="</s>", sep_token="</s>",
    unk_token="<unk>", mask_token=MASK,
)
KIND = ["input_ids", "token_type_ids", "attention_mask"]


def ended(tokenizer, special, start, end):
    tokenizer.add_special_tokens(special)
    ends = [(token, tokenizer.token_to_id(token)) for token in (start, end)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start}:0 $A:0 {end}:0", pair=f"{start}:0 $A:0 {end}:0 $B:1 {end}:1", special_tokens=ends
    )
    return tokenizer


def pieces(tokenizer, inner, count):
    """How often pieces of words are in the sentences: all characters, and `count` others.

    The trainers of word pieces and unigrams give another vocabulary at every run.
    """
    singles, others = Counter(), Counter()
    for sentence in SENTENCES:
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(sentence)):
            for at in range(len(word)):
                before = inner if at else ""
                singles[before + word[at]] += 1
                for size in {2, 3, len(word)}:
                    if 1 < size <= len(word) - at:
                        others[before + word[at : at + size]] += 1
    best = sorted(others, key=lambda piece: (-others[piece] * len(piece.removeprefix(inner)), piece))[:count]
    return dict(sorted(singles.items())) | {piece: others[piece] for piece in best}


def wordpiece(lower=True, special=BERT, last=(), start="[CLS]", end="[SEP]", count=90):
    tokenizer = Tokenizer(kinds.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower, strip_accents=None)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokens = [*special, *pieces(tokenizer, "##", count), *map(str, last)]
    vocabulary = {token: id for id, token in enumerate(tokens)}
    tokenizer.model = kinds.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100)
    return ended(tokenizer, [*special, *last], start, end)


def byte_level(special, start, end, size=300):
    tokenizer = Tokenizer(kinds.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return ended(tokenizer, special, start, end)


def roberta_tokenizer():
    tokenizer = byte_level([*ROBERTA, MASK], "<s>", "</s>")
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def modernbert_tokenizer():
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", BERT_MASK, "<|endoftext|>"]
    tokenizer = byte_level(special, "[CLS]", "[SEP]")
    tokenizer.normalizer = normalizers.NFC()
    # Runs of spaces are tokens, and no special ones.
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in (3, 2)])
    return tokenizer


def charsmap():
    """Rules of characters as SentencePiece compiles them; those of the hub's models are 300 KB."""
    rules = {"ﬁ": "fi", "\u3000": " ", "\u00a0": " ", "\u00ad": "", "\t": " ", "\n": " ", "e\u0301": "é"}
    rules |= {chr(0xFF41 + i): chr(ord("a") + i) for i in range(26)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.tsv"
        points = [[" ".join(f"{ord(c):X}" for c in side) for side in rule] for rule in rules.items()]
        file.write_text("".join(f"{of}\t{to}\n" for of, to in points))
        spec = sentencepiece.SentencePieceNormalizer(rule_tsv=str(file)).serialized_normalizer_spec()
    # A protocol buffer: the name, then what is sought, its length in groups of seven bits.
    at, length, shift = 2 + spec[1], 0, 0
    assert spec[at] == 2 << 3 | 2
    while True:
        at += 1
        length |= (spec[at] & 127) << shift
        shift += 7
        if spec[at] < 128:
            return spec[at + 1 : at + 1 + length]


def unigram(special, last, start, end, normalizer, count=120):
    tokenizer = Tokenizer(kinds.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace()
    found = pieces(tokenizer, "", count)
    scores = [(piece, round(math.log(n / sum(found.values())), 4)) for piece, n in found.items()]
    vocabulary = [*((token, 0.0) for token in special), *scores, (str(last), 0.0)]
    tokenizer.model = kinds.Unigram(vocabulary, special.index("<unk>"))
    return ended(tokenizer, [*special, last], start, end)


def xlm_roberta_tokenizer():
    return unigram(ROBERTA, MASK, "<s>", "</s>", normalizers.Precompiled(charsmap()))


def albert_tokenizer():
    steps = [
        normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(),
        normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Precompiled(charsmap()),
        normalizers.Replace(Regex(" {2,}"), " "),
    ]
    special = ["<pad>", "<unk>", "[CLS]", "[SEP]"]
    return unigram(special, BERT_MASK, "[CLS]", "[SEP]", normalizers.Sequence(steps))


def fast(tokenizer, names, inputs=KIND, length=48):
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=length, model_input_names=inputs, **names
    )


def redrawn(model, seed):
    """`model` with weights that are uneven enough for every mistake to show."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, values in model.named_parameters():
            drawn = torch.randn(values.shape)
            if values.ndim > 1:
                values.copy_(0.25 * drawn)
            else:
                norm = "norm" in name.lower() and name.endswith("weight")
                values.copy_(0.2 * drawn + norm)
    return model.eval()


def size(h=24, inner=40, layers=2, heads=4, positions=64, **more):
    # An eps of 1e-3 shows, the usual ones don't.
    return dict(
        hidden_size=h, intermediate_size=inner, num_hidden_layers=layers, num_attention_heads=heads,
        max_position_embeddings=positions, layer_norm_eps=1e-3, **more,
    )


def changed(file, change):
    value = json.loads(file.read_text())
    value = change(value) or value
    indent = None if file.name == "tokenizer.json" else 2
    file.write_text(json.dumps(value, indent=indent, ensure_ascii=False))


def save(name, model, tokenizer, *after, prompts=None, default=None):
    """The model's folder as sentence-transformers writes it."""
    folder = MODELS / name
    with tempfile.TemporaryDirectory() as plain:
        model.save_pretrained(plain)
        tokenizer.save_pretrained(plain)
        modules = [Transformer(plain), *after]
        whole = SentenceTransformer(modules=modules, prompts=prompts, default_prompt_name=default)
        whole.save(str(folder), create_model_card=False)
    # In fewer bytes.
    changed(folder / "tokenizer.json", lambda _: None)
    return folder


FLAGS = {
    "cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens",
    "mean_sqrt_len_tokens": "mean_sqrt_len_tokens", "weightedmean": "weightedmean_tokens",
    "lasttoken": "lasttoken",
}


def aged(folder, length=48, lower=False):
    """The files as on the hub, most of which versions before 5 wrote."""

    def modules(value):
        for module in value:
            module["type"] = "sentence_transformers.models." + module["type"].rsplit(".", 1)[1]

    def pooling(value):
        flags = {f"pooling_mode_{flag}": mode == value["pooling_mode"] for mode, flag in FLAGS.items()}
        return {"word_embedding_dimension": value["embedding_dimension"], **flags}

    changed(folder / "modules.json", modules)
    changed(folder / "1_Pooling" / "config.json", pooling)
    reading = {"max_seq_length": length, "do_lower_case": lower}
    changed(folder / "sentence_bert_config.json", lambda _: reading)
    # The length above is the one that counts.
    changed(folder / "tokenizer_config.json", lambda value: value.update(model_max_length=62))
    for empty in folder.glob("*_Normalize"):
        shutil.rmtree(empty)
    return folder


def rounded(vectors):
    assert np.isfinite(vectors).all()
    return [[float(f"{x:.7g}") for x in row] for row in np.asarray(vectors, np.float32).tolist()]


def ids_of(model, prompt):
    # A static model has one list for all texts.
    return [model.preprocess([text], prompt=prompt)["input_ids"].flatten().tolist() for text in TEXTS]


def checked(folder, model, ids, prompt):
    """That tokenizer.json alone gives the same, which transformers may read in its own way."""
    file = folder / "tokenizer.json"
    if isinstance(model[0], StaticEmbedding) or model[0].do_lower_case:
        return
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.enable_truncation(model.max_seq_length)
    assert ids == [e.ids for e in tokenizer.encode_batch([(prompt or "") + text for text in TEXTS])], folder


def golden(folder):
    # Also of weights of 16 bits, which transformers 5 else computes with.
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
    prompt = model.prompts.get(model.default_prompt_name)
    length = model.max_seq_length
    found = {
        "max_length": length if np.isfinite(length) else None, "prompt": prompt,
        "ids": ids_of(model, prompt), "vectors": rounded(model.encode(TEXTS)),
    }
    checked(folder, model, found["ids"], prompt)
    if query := model.prompts.get("query"):
        found["query_prompt"], found["query_ids"] = query, ids_of(model, query)
        found["query_vectors"] = rounded(model.encode(TEXTS, prompt_name="query"))
        checked(folder, model, found["query_ids"], query)
    return found


def bert(seed, tokenizer, **more):
    config = transformers.BertConfig(vocab_size=tokenizer.get_vocab_size(), **more)
    return redrawn(transformers.BertModel(config), seed), fast(tokenizer, BERT_NAMES)


def bert_mean():
    folder = aged(save("bert-mean", *bert(1, wordpiece(), **size(32, 64)), Pooling(32), Normalize()))

    # All-MiniLM-L6-v2's says this, and its 256 tokens count all the same.
    def cut(value):
        value["truncation"] = {
            "direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0,
        }
        value["padding"] = {
            "strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": None,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
        }

    changed(folder / "tokenizer.json", cut)
    return golden(folder)


def bert_cls():
    prompts = {"query": "Represent this sentence for searching relevant passages: "}
    after = Pooling(24, pooling_mode="cls"), Normalize()
    return golden(save("bert-cls", *bert(2, wordpiece(), **size()), *after, prompts=prompts))


def bert_prefixed():
    """As of a model for pre-training, by an older version, in 16 bits."""
    model, tokenizer = bert(3, wordpiece(), **size())
    folder = aged(save("bert-prefixed", model.half(), tokenizer, Pooling(24)))
    file = folder / "model.safetensors"
    tensors = {f"bert.{name}": value for name, value in load_file(file).items()}
    tensors["bert.embeddings.position_ids"] = torch.arange(64)[None]
    tensors["cls.predictions.bias"] = torch.zeros(model.config.vocab_size, dtype=torch.float16)
    save_file(tensors, file, metadata={"format": "pt"})
    return golden(folder)


def bert_dense():
    model, tokenizer = bert(4, wordpiece(), **size(16, 32))
    dense = redrawn(Dense(16, 24, activation_function=torch.nn.Tanh()), 5)
    return golden(aged(save("bert-dense", model, tokenizer, Pooling(16), dense, Normalize())))


def bert_pooled(name, seed, mode, lower=False, prompts=None, **more):
    model, tokenizer = bert(seed, wordpiece(not lower), **size(16, 32, 1), **more)
    # A prompt that isn't pooled, as Instructor has it.
    pooling = Pooling(16, pooling_mode=mode, include_prompt=not prompts)
    folder = save(name, model, tokenizer, pooling, prompts=prompts)
    return golden(aged(folder, lower=True) if lower else folder)


def distilbert():
    tokenizer = wordpiece(lower=False)
    config = transformers.DistilBertConfig(
        vocab_size=tokenizer.get_vocab_size(), dim=24, hidden_dim=40, n_layers=2, n_heads=4,
        max_position_embeddings=64,
    )
    model = redrawn(transformers.DistilBertModel(config), 9)
    return golden(save("distilbert", model, fast(tokenizer, BERT_NAMES, KIND[::2]), Pooling(24)))


def roberta():
    tokenizer = roberta_tokenizer()
    ends = dict(pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1)
    config = transformers.RobertaConfig(vocab_size=tokenizer.get_vocab_size(), **ends, **size())
    model = redrawn(transformers.RobertaModel(config), 10)
    tokenizer = fast(tokenizer, ROBERTA_NAMES, KIND[::2])
    return golden(aged(save("roberta", model, tokenizer, Pooling(24), Normalize())))


def xlm_roberta():
    tokenizer = xlm_roberta_tokenizer()
    ends = dict(pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1)
    config = transformers.XLMRobertaConfig(vocab_size=tokenizer.get_vocab_size(), **ends, **size())
    model = redrawn(transformers.XLMRobertaModel(config), 11)
    prompts = {"query": "query: ", "passage": "passage: "}
    after = Pooling(24), Normalize()
    return golden(
        save("xlm-roberta", model, fast(tokenizer, ROBERTA_NAMES, KIND[::2]), *after, prompts=prompts)
    )


def mpnet():
    # The word piece that stands for others is not the special token.
    tokenizer = wordpiece(special=[*ROBERTA, "[UNK]"], last=[MASK], start="<s>", end="</s>")
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    config = transformers.MPNetConfig(vocab_size=tokenizer.get_vocab_size(), **size())
    model = redrawn(transformers.MPNetModel(config), 12)
    names = {**ROBERTA_NAMES, "unk_token": "[UNK]"}
    return golden(aged(save("mpnet", model, fast(tokenizer, names, KIND[::2]), Pooling(24), Normalize()), 60))


def albert():
    tokenizer = albert_tokenizer()
    config = transformers.AlbertConfig(
        vocab_size=tokenizer.get_vocab_size(), embedding_size=16, hidden_act="gelu_new", **size(layers=3)
    )
    names = {**BERT_NAMES, "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": BERT_MASK}
    model = redrawn(transformers.AlbertModel(config), 13)
    return golden(save("albert", model, fast(tokenizer, names), Pooling(24)))


def electra():
    tokenizer = wordpiece()
    config = transformers.ElectraConfig(vocab_size=tokenizer.get_vocab_size(), embedding_size=16, **size())
    model = redrawn(transformers.ElectraModel(config), 14)
    return golden(save("electra", model, fast(tokenizer, BERT_NAMES), Pooling(24)))


MODERN_PROMPTS = {"query": "search_query: ", "document": "search_document: "}
# As transformers 4.48 wrote it, here with numbers that are not the usual ones.
MODERN_HUB = {
    "architectures": ["ModernBertModel"], "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": 1, "classifier_activation": "gelu", "classifier_bias": False, "classifier_dropout": 0.0,
    "classifier_pooling": "mean", "cls_token_id": 1, "decoder_bias": True, "deterministic_flash_attn": False,
    "embedding_dropout": 0.0, "eos_token_id": 2, "global_attn_every_n_layers": 3,
    "global_rope_theta": 8000.0, "gradient_checkpointing": False, "hidden_activation": "gelu",
    "hidden_size": 24, "initializer_cutoff_factor": 2.0, "initializer_range": 0.02, "intermediate_size": 32,
    "layer_norm_eps": 1e-05, "local_attention": 8, "local_rope_theta": 50.0, "max_position_embeddings": 64,
    "mlp_bias": False, "mlp_dropout": 0.0, "model_type": "modernbert", "norm_bias": False, "norm_eps": 1e-3,
    "num_attention_heads": 4, "num_hidden_layers": 4, "pad_token_id": 3,
    "position_embedding_type": "absolute", "reference_compile": False, "repad_logits_with_grad": False,
    "sep_token_id": 2, "sparse_pred_ignore_index": -100, "sparse_prediction": False,
    "torch_dtype": "float32", "transformers_version": "4.48.0",
}


def modernbert():
    tokenizer = modernbert_tokenizer()
    hub = {**MODERN_HUB, "vocab_size": tokenizer.get_vocab_size()}
    model = redrawn(transformers.ModernBertModel(transformers.ModernBertConfig.from_dict(hub)), 15)
    after = Pooling(24), Normalize()
    folder = save("modernbert", model, fast(tokenizer, BERT_NAMES, KIND[::2]), *after, prompts=MODERN_PROMPTS)
    changed(folder / "config.json", lambda _: hub)
    return golden(aged(folder))


def modernbert_native():
    """With the configuration that transformers 5 writes; without a module that normalises."""
    tokenizer = modernbert_tokenizer()
    rope = {
        f"{kind}_attention": {"rope_type": "default", "rope_theta": theta}
        for kind, theta in [("full", 9000.0), ("sliding", 70.0)]
    }
    config = transformers.ModernBertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=16, intermediate_size=16, num_attention_heads=2,
        num_hidden_layers=3, max_position_embeddings=64, local_attention=6, rope_parameters=rope,
        norm_eps=1e-3, layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        pad_token_id=3, bos_token_id=1, cls_token_id=1, eos_token_id=2, sep_token_id=2,
    )
    model = redrawn(transformers.ModernBertModel(config), 16)
    return golden(save("modernbert-native", model, fast(tokenizer, BERT_NAMES, KIND[::2]), Pooling(16)))


# Nomic-embed-text-v1.5's, less what it says of summaries and dropout.
NOMIC_HUB = {
    "activation_function": "swiglu", "architectures": ["NomicBertModel"],
    "auto_map": {
        "AutoConfig": "nomic-ai/nomic-bert-2048--configuration_hf_nomic_bert.NomicBertConfig",
        "AutoModel": "nomic-ai/nomic-bert-2048--modeling_hf_nomic_bert.NomicBertModel",
    },
    "bos_token_id": None, "causal": False, "dense_seq_output": True, "eos_token_id": None,
    "fused_bias_fc": True, "fused_dropout_add_ln": True, "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-3, "max_trained_positions": 64, "mlp_fc1_bias": False, "mlp_fc2_bias": False,
    "model_type": "nomic_bert", "n_embd": 24, "n_head": 4, "n_inner": 40, "n_layer": 2, "n_positions": 64,
    "pad_vocab_size_multiple": 64, "parallel_block": False, "parallel_block_tied_norm": False,
    "prenorm": False, "qkv_proj_bias": False, "reorder_and_upcast_attn": False, "rotary_emb_base": 500,
    "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False, "rotary_emb_scale_base": None,
    "rotary_scaling_factor": None, "scale_attn_by_inverse_layer_idx": False, "scale_attn_weights": True,
    "torch_dtype": "float32", "transformers_version": "4.37.2", "type_vocab_size": 2, "use_cache": True,
    "use_flash_attn": True, "use_rms_norm": False, "use_xentropy": True,
}


def nomic_model(seed, theta, **more):
    # The weights have rows for more tokens than there are: the next multiple of 64.
    rope = {"rope_type": "default", "rope_theta": theta}
    config = transformers.NomicBertConfig(vocab_size=256, rope_parameters=rope, **size(**more))
    return redrawn(transformers.NomicBertModel(config), seed), fast(wordpiece(), BERT_NAMES)


def nomic_bert():
    after = [Pooling(24)]
    prompts = {"query": "search_query: ", "document": "search_document: "}
    folder = save("nomic-bert", *nomic_model(17, 500.0), *after, prompts=prompts, default="document")
    found = golden(aged(folder))
    names = load_file(folder / "model.safetensors")
    assert "encoder.layers.0.attn.Wqkv.weight" in names and "encoder.layers.0.mlp.fc11.weight" in names
    changed(folder / "config.json", lambda _: {**NOMIC_HUB, "vocab_size": 256})
    return found


def nomic_bert_native():
    """With the configuration that transformers 5 writes; its tensors have the hub's names too."""
    return golden(save("nomic-bert-native", *nomic_model(18, 700.0, h=16, inner=24, layers=1), Pooling(16)))


def static_st(name, nested):
    tokenizer = wordpiece()
    static = StaticEmbedding(tokenizer, embedding_dim=16)
    folder = MODELS / name
    SentenceTransformer(modules=[redrawn(static, 19)]).save(str(folder), create_model_card=False)
    if nested:
        # As before version 5; static-retrieval-mrl-en-v1 is so. What tokenizer.json says of length counts.
        (folder / "0_StaticEmbedding").mkdir()
        for file in ("model.safetensors", "tokenizer.json"):
            (folder / file).rename(folder / "0_StaticEmbedding" / file)
        tokenizer.enable_truncation(20)
        tokenizer.save(str(folder / "0_StaticEmbedding" / "tokenizer.json"))
        module = {"idx": 0, "name": "0", "path": "0_StaticEmbedding"}
        module["type"] = "sentence_transformers.models.StaticEmbedding"
        changed(folder / "modules.json", lambda _: [module])
    return golden(folder)


def model2vec_golden(folder):
    model = model2vec.StaticModel.from_pretrained(folder)
    most = model.max_length * model.median_token_length
    ids = [model.tokenize([text[:most]])[0] for text in TEXTS]
    return {
        "max_length": model.max_length, "prompt": None, "ids": ids, "vectors": rounded(model.encode(TEXTS)),
    }


def static_model2vec(name, rows=None, **more):
    tokenizer = wordpiece()
    tokens = tokenizer.get_vocab_size()
    random = np.random.default_rng(20)
    vectors = random.normal(size=(rows or tokens, 16)).astype(np.float32)
    config = {
        "model_type": "model2vec", "architectures": ["StaticModel"],
        "tokenizer_name": "baai/bge-base-en-v1.5", "apply_pca": 16, "apply_zipf": True,
        "sif_coefficient": 0.0001, "hidden_dim": 16, "seq_length": 1000000,
    }
    if rows:
        # As `quantize_vocabulary` has them: 32 bits each.
        more["weights"] = random.uniform(0.1, 3, tokens).astype(np.float32)
        more["token_mapping"] = random.integers(rows, size=tokens).astype(np.int32)
    folder = MODELS / name
    model2vec.StaticModel(vectors, tokenizer, config, **more).save_pretrained(folder)
    (folder / "README.md").unlink()
    return model2vec_golden(folder)


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    sentencepiece.set_min_log_level(2)
    shutil.rmtree(MODELS, ignore_errors=True)
    MODELS.mkdir(parents=True)
    GOLDEN.parent.mkdir(exist_ok=True)
    prompts = {"query": "search: "}
    static, vec = "static-st", "static-model2vec"
    models = {
        "bert-mean": bert_mean(),
        "bert-cls": bert_cls(),
        "bert-prefixed": bert_prefixed(),
        "bert-dense": bert_dense(),
        "bert-last": bert_pooled("bert-last", 6, "lasttoken", hidden_act="gelu_new"),
        "bert-max": bert_pooled("bert-max", 7, "max", lower=True, hidden_act="relu"),
        "bert-meansqrt": bert_pooled("bert-meansqrt", 8, "mean_sqrt_len_tokens", prompts=prompts),
        "distilbert": distilbert(),
        "roberta": roberta(),
        "xlm-roberta": xlm_roberta(),
        "mpnet": mpnet(),
        "albert": albert(),
        "electra": electra(),
        "modernbert": modernbert(),
        "modernbert-native": modernbert_native(),
        "nomic-bert": nomic_bert(),
        "nomic-bert-native": nomic_bert_native(),
        static: static_st(static, nested=False),
        f"{static}-nested": static_st(f"{static}-nested", nested=True),
        vec: static_model2vec(vec, normalize=True),
        f"{vec}-quantized": static_model2vec(f"{vec}-quantized", rows=40, max_length=16),
    }
    versions = [model2vec, np, sentence_transformers, sentencepiece, tokenizers, torch, transformers]
    versions = {module.__name__: module.__version__ for module in versions}
    whole = {"versions": versions, "texts": TEXTS, "models": models}
    GOLDEN.write_text(json.dumps(whole, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
