"""A script for the Hugging Face Trainer as people write them; nothing is fetched. Usage: … RESULT."""

import json
import sys
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed


def main(result):
    set_seed(3)
    config = GPT2Config(vocab_size=64, n_positions=16, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(config)
    rows = [{"input_ids": row, "labels": row} for row in torch.randint(0, 64, (64, 16))]
    arguments = TrainingArguments(
        str(Path(result).with_suffix("")),
        num_train_epochs=3,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        eval_strategy="epoch",
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=rows, eval_dataset=rows[:8])
    trainer.train()
    weights = [p.tolist() for p in model.parameters()]
    Path(result).write_text(json.dumps({"weights": weights, "steps": trainer.state.global_step}))


if __name__ == "__main__":
    main(sys.argv[1])
