"""Models of the annotators' real classes, tiny and with random weights, saved with processors."""

from pathlib import Path

import torch
import transformers as hf

SEED = 20260101
NAMES = ("person", "bicycle", "sports ball", "tennis racket", "bench", "tie")
KEYPOINTS = 17


def _swin(stages):
    return hf.SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2],
        window_size=4, out_features=stages,
    )  # fmt: skip


def _save(folder, *parts):
    for part in parts:
        part.save_pretrained(folder)
    return Path(folder)


def tiny_segmenter(folder, names=NAMES):
    """A Mask2Former that knows six names."""
    torch.manual_seed(SEED)
    config = hf.Mask2FormerConfig(
        backbone_config=_swin(["stage1", "stage2", "stage3", "stage4"]),
        feature_size=32, mask_feature_size=32, hidden_dim=32, encoder_feedforward_dim=16,
        dim_feedforward=16, encoder_layers=1, decoder_layers=2, num_attention_heads=2,
        num_queries=12, id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
    )  # fmt: skip
    processor = hf.Mask2FormerImageProcessorPil(
        size={"height": 64, "width": 64}, ignore_index=255, num_labels=len(names)
    )
    return _save(folder, hf.Mask2FormerForUniversalSegmentation(config), processor)


def tiny_maskformer(folder, names=NAMES):
    """A MaskFormer that knows six names and keeps a picture's shape."""
    torch.manual_seed(SEED)
    config = hf.MaskFormerConfig(
        backbone_config=_swin(["stage1", "stage2", "stage3", "stage4"]),
        decoder_config=hf.DetrConfig(
            d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, num_queries=12,
        ),
        fpn_feature_size=32, mask_feature_size=32, num_attention_heads=2,
        id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)},
    )  # fmt: skip
    processor = hf.MaskFormerImageProcessorPil(
        size={"shortest_edge": 64, "longest_edge": 128}, num_labels=len(names)
    )
    return _save(folder, hf.MaskFormerForInstanceSegmentation(config), processor)


def _bert_tokenizer(folder, words):
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", *words, *letters]
    vocabulary = Path(folder) / "vocab.txt"
    vocabulary.parent.mkdir(parents=True, exist_ok=True)
    vocabulary.write_text("\n".join(tokens + [f"##{letter}" for letter in letters]))
    return hf.BertTokenizer(str(vocabulary), model_max_length=256)


def tiny_grounding_dino(folder):
    """A Grounding DINO whose tokens are a few words and all letters."""
    torch.manual_seed(SEED)
    tokenizer = _bert_tokenizer(folder, ["person", "bicycle", "tennis", "racket", "ball"])
    config = hf.GroundingDinoConfig(
        backbone_config=_swin(["stage2", "stage3", "stage4"]),
        text_config=hf.BertConfig(
            vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1,
            num_attention_heads=2, intermediate_size=16, max_position_embeddings=256,
        ),
        d_model=32, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_attention_heads=2, num_queries=10,
    )  # fmt: skip
    image_processor = hf.GroundingDinoImageProcessorPil(
        size={"shortest_edge": 96, "longest_edge": 160}
    )
    processor = hf.GroundingDinoProcessor(image_processor, tokenizer)
    return _save(folder, hf.GroundingDinoForObjectDetection(config), processor)


def tiny_sam(folder):
    """A Segment Anything for pictures of 64 pixels."""
    torch.manual_seed(SEED)
    config = hf.SamConfig(
        vision_config=hf.SamVisionConfig(
            hidden_size=16, output_channels=16, num_hidden_layers=1, num_attention_heads=2,
            image_size=64, patch_size=8, window_size=4, num_pos_feats=8, mlp_dim=16,
            global_attn_indexes=[0],
        ),
        prompt_encoder_config=hf.SamPromptEncoderConfig(
            hidden_size=16, image_size=64, patch_size=8, mask_input_channels=4
        ),
        mask_decoder_config=hf.SamMaskDecoderConfig(
            hidden_size=16, mlp_dim=16, num_hidden_layers=1, num_attention_heads=2,
            iou_head_hidden_dim=16,
        ),
    )  # fmt: skip
    image_processor = hf.SamImageProcessorPil(
        size={"longest_edge": 64}, pad_size={"height": 64, "width": 64},
        mask_size={"longest_edge": 16}, mask_pad_size={"height": 16, "width": 16},
    )  # fmt: skip
    return _save(folder, hf.SamModel(config), hf.SamProcessor(image_processor))


def tiny_open_vocabulary(folder):
    """Return the folders of a Grounding DINO and of a Segment Anything."""
    return tiny_grounding_dino(Path(folder) / "detector"), tiny_sam(Path(folder) / "sam")


def tiny_keypoints(folder, *, keypoints=KEYPOINTS, experts=6):
    """A ViTPose of the plus kind: a mixture of experts, one per dataset."""
    torch.manual_seed(SEED)
    backbone = hf.VitPoseBackboneConfig(
        image_size=[64, 48], patch_size=[16, 16], hidden_size=24, num_hidden_layers=2,
        num_attention_heads=2, mlp_ratio=2, num_experts=experts, part_features=8,
        out_indices=[2],
    )  # fmt: skip
    config = hf.VitPoseConfig(backbone_config=backbone, num_labels=keypoints)
    processor = hf.VitPoseImageProcessorPil(size={"height": 64, "width": 48})
    return _save(folder, hf.VitPoseForPoseEstimation(config), processor)


def tiny_owl(folder):
    """An OWLv2 whose tokens are letters."""
    torch.manual_seed(SEED)
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{a}</w>" for a in letters)]
    tokenizer = hf.CLIPTokenizer(
        vocab={token: i for i, token in enumerate(tokens)}, merges=[], model_max_length=16
    )
    text = {
        "vocab_size": len(tokens), "hidden_size": 16, "intermediate_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 16,
        "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 1,
    }  # fmt: skip
    vision = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "image_size": 64, "patch_size": 16,
    }  # fmt: skip
    config = hf.Owlv2Config(text_config=text, vision_config=vision, projection_dim=16)
    processor = hf.Owlv2ImageProcessorPil(size={"height": 64, "width": 64})
    return _save(folder, hf.Owlv2ForObjectDetection(config), processor, tokenizer)
