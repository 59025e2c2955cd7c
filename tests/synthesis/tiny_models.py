"""Tiny diffusion pipelines with random weights, saved as real ones are (safetensors)."""

from pathlib import Path

WIDTH = 16
LATENTS = 4


def clip_tokenizer():
    """A CLIP tokenizer of single bytes, made on the spot."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    names = [*letters, *(f"{x}</w>" for x in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {name: number for number, name in enumerate(names)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def clip_text_encoder(tokenizer, kind="CLIPTextModel"):
    import transformers

    config = transformers.CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return getattr(transformers, kind)(config).eval()


def vae(latents=LATENTS, **more):
    """An autoencoder that makes images 8 times as wide as their latents, as real ones do."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        latent_channels=latents,
        norm_num_groups=4,
        layers_per_block=1,
        **more,
    )


def unet(**more):
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        sample_size=8,
        norm_num_groups=8,
        attention_head_dim=8,
        **{"cross_attention_dim": WIDTH, **more},
    )


def safety_checker():
    """A checker that refuses nothing until its thresholds are changed."""
    import torch
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessorPil

    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 16,
        "patch_size": 8,
    }
    checker = StableDiffusionSafetyChecker(CLIPConfig(projection_dim=16, vision_config=vision))
    with torch.no_grad():
        checker.concept_embeds_weights.fill_(2)
        checker.special_care_embeds_weights.fill_(2)
    size = {"height": 16, "width": 16}
    return checker, CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size=size)


def tiny_pipeline(folder, *, seed=0, checked=False):
    """Write a tiny Stable Diffusion pipeline; it makes images of multiples of 16 pixels."""
    import torch
    from diffusers import PNDMScheduler, StableDiffusionPipeline

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        tokenizer = clip_tokenizer()
        checker, extractor = safety_checker() if checked else (None, None)
        pipeline = StableDiffusionPipeline(
            vae=vae(),
            text_encoder=clip_text_encoder(tokenizer),
            tokenizer=tokenizer,
            unet=unet(),
            scheduler=PNDMScheduler(
                beta_start=0.00085,
                beta_end=0.012,
                beta_schedule="scaled_linear",
                skip_prk_steps=True,
                set_alpha_to_one=False,
                steps_offset=1,
            ),
            safety_checker=checker,
            feature_extractor=extractor,
            requires_safety_checker=checked,
        )
        pipeline.save_pretrained(folder)
    return Path(folder)


def tiny_flux(folder, *, seed=0):
    """Write a tiny Flux pipeline: a transformer, two text encoders and flow matching."""
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
    from transformers import T5Config, T5EncoderModel

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        tokenizer = clip_tokenizer()
        t5 = T5Config(
            vocab_size=len(tokenizer), d_model=WIDTH, d_kv=8, d_ff=WIDTH, num_layers=1, num_heads=2
        )
        transformer = FluxTransformer2DModel(
            in_channels=4 * LATENTS,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            pooled_projection_dim=WIDTH,
            axes_dims_rope=(4, 4, 8),
        )
        pipeline = FluxPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=vae(shift_factor=0.0, use_quant_conv=False, use_post_quant_conv=False),
            text_encoder=clip_text_encoder(tokenizer),
            tokenizer=tokenizer,
            text_encoder_2=T5EncoderModel(t5).eval(),
            tokenizer_2=clip_tokenizer(),
            transformer=transformer,
        )
        pipeline.save_pretrained(folder)
    return Path(folder)


def tiny_z_image(folder, *, seed=0):
    """Write a tiny Z-Image pipeline: a language model reads the text, through a chat template."""
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3Model

    names = [*sorted(ByteLevel.alphabet()), "<|im_start|>", "<|im_end|>", "<|endoftext|>"]
    tokenizer = Qwen2Tokenizer(vocab={name: n for n, name in enumerate(names)}, merges=[])
    tokenizer.chat_template = "{% for m in messages %}<|im_start|>{{ m.content }}{% endfor %}"
    width, heads = 32, 2
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        language = Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=width,
            num_hidden_layers=2,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=width // heads,
        )
        transformer = ZImageTransformer2DModel(
            in_channels=LATENTS,
            dim=width,
            n_layers=1,
            n_refiner_layers=1,
            n_heads=heads,
            n_kv_heads=heads,
            cap_feat_dim=width,
            axes_dims=[4, 6, 6],
            axes_lens=[256, 32, 32],
        )
        pipeline = ZImagePipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
            vae=vae(shift_factor=0.0, use_quant_conv=False, use_post_quant_conv=False),
            text_encoder=Qwen3Model(language).eval(),
            tokenizer=tokenizer,
            transformer=transformer,
        )
        pipeline.save_pretrained(folder)
    return Path(folder)
