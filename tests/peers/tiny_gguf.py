"""Writes a language model of random weights that knows bytes and no words: python tiny_gguf.py FILE"""

import sys

import gguf
import numpy as np

WIDTH, LAYERS, HEADS, CONTEXT = 64, 2, 4, 4096
random = np.random.default_rng(0)
special = [("<unk>", gguf.TokenType.UNKNOWN), ("<s>", gguf.TokenType.CONTROL),
           ("</s>", gguf.TokenType.CONTROL)]
tokens = special + [(f"<0x{byte:02X}>", gguf.TokenType.BYTE) for byte in range(256)]
tokens += [(chr(byte), gguf.TokenType.NORMAL) for byte in range(33, 127)]
tokens += [("\u2581", gguf.TokenType.NORMAL)]

out = gguf.GGUFWriter(sys.argv[1], "llama")
out.add_context_length(CONTEXT)
out.add_embedding_length(WIDTH)
out.add_block_count(LAYERS)
out.add_feed_forward_length(2 * WIDTH)
out.add_head_count(HEADS)
out.add_head_count_kv(HEADS)
out.add_rope_dimension_count(WIDTH // HEADS)
out.add_layer_norm_rms_eps(1e-5)
out.add_vocab_size(len(tokens))
out.add_tokenizer_model("llama")
out.add_token_list([name for name, _ in tokens])
out.add_token_scores([0.0] * len(tokens))
out.add_token_types([kind for _, kind in tokens])
out.add_bos_token_id(1)
out.add_eos_token_id(2)
out.add_unk_token_id(0)


def tensor(name: str, *shape: int) -> None:
    values = random.normal(0.0, 0.2, shape) if len(shape) > 1 else np.ones(shape)
    out.add_tensor(name, values.astype(np.float32))


tensor("token_embd.weight", len(tokens), WIDTH)
tensor("output.weight", len(tokens), WIDTH)
tensor("output_norm.weight", WIDTH)
for layer in range(LAYERS):
    tensor(f"blk.{layer}.attn_norm.weight", WIDTH)
    tensor(f"blk.{layer}.ffn_norm.weight", WIDTH)
    for name in ["attn_q", "attn_k", "attn_v", "attn_output"]:
        tensor(f"blk.{layer}.{name}.weight", WIDTH, WIDTH)
    for name in ["ffn_gate", "ffn_up"]:
        tensor(f"blk.{layer}.{name}.weight", 2 * WIDTH, WIDTH)
    tensor(f"blk.{layer}.ffn_down.weight", WIDTH, 2 * WIDTH)
out.write_header_to_file()
out.write_kv_data_to_file()
out.write_tensors_to_file()
out.close()
