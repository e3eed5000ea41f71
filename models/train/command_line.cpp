// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"

#include <fmt/format.h>

#include <array>

#include "adamerge/error.h"
#include "options.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::training {
namespace {

using cli::takesNumber;
using cli::takesOneOf;
using cli::takesText;
using cli::takesWholeNumber;

constexpr int kLargestSide = 4096;
constexpr int kLargestWidth = 1 << 16;
constexpr int kMostBlocks = 1000;
constexpr int kMostThreads = 4096;
constexpr std::array<const char*, 6> kShape = {"image-size", "patch-size", "width",
                                               "depth",      "heads",      "mlp-ratio"};

std::string defaultText(bool value) { return value ? "on" : "off"; }
std::string defaultText(const std::optional<int>& /*value*/) { return {}; }
template <class T>
std::string defaultText(const T& value) {
  return fmt::format("{}", value);
}

/// Declares options of one group; the defaults are what the members hold.
class Group {
 public:
  Group(CLI::App& app, std::string name) : app_(app), name_(std::move(name)) {}

  template <class T>
  CLI::Option& add(const std::string& option, T& value, const std::string& help) {
    const std::string usual = defaultText(value);
    const std::string text = usual.empty() ? help : fmt::format("{} (default {})", help, usual);
    return *app_.add_option(option, value, text)->group(name_);
  }
  CLI::Option& addFlag(const std::string& option, bool& value, const std::string& help) {
    return *app_.add_flag(option, value, help)->group(name_);
  }

 private:
  CLI::App& app_;
  std::string name_;
};

}  // namespace

std::filesystem::path CommandLine::checkpoint() const {
  return std::filesystem::path(output) / "checkpoint.safetensors";
}
std::filesystem::path CommandLine::log() const { return std::filesystem::path(output) / "log.csv"; }
std::filesystem::path CommandLine::model() const { return std::filesystem::path(output) / "model"; }

CommandLineOptions::CommandLineOptions(CLI::App& app) : app_(app) {
  line_.recipe.dtype = "auto";
  keep_patches_ = stagesText(line_.recipe.keep_patches);
  addRun();
  addShape();
  addSchedule();
  addRegularisation();
}

void CommandLineOptions::addRun() {
  Recipe& recipe = line_.recipe;
  app_.add_option("data", line_.data,
                  "Images to train on: one sub-folder per class, or a file or folder of CIFAR-10's "
                  "binary format");
  Group group(app_, "Run");
  takesText(*group
                 .add("-o,--output", line_.output,
                      "Folder for checkpoint.safetensors, log.csv and, at the end, model/; with "
                      "--export, for the model itself; with --importance or --compensator, the "
                      "file to write")
                 .required(),
            "DIR");
  takesText(group.add("--test", line_.test, "Images to measure accuracy on after each epoch"),
            "PATH");
  takesNumber(group.add("--hold-out", recipe.hold_out,
                        "Without --test: share of the images to hold out for that"),
              0.001, 0.9);
  takesWholeNumber(group.add("--limit", recipe.limit, "Use N images, drawn at random; 0: all"), 0);
  group.addFlag("--resume", line_.resume,
                "Go on from the checkpoint in the output folder, with the same options");
  takesWholeNumber(
      group.add("--checkpoint-every", line_.checkpoint_every, "Steps between checkpoints"), 1);
  takesWholeNumber(group.add("--log-every", recipe.log_every, "Steps between rows of the log"), 1);
  takesText(group.add("--export", line_.checkpoint_to_export,
                      "Do not train: make a model folder of this checkpoint"),
            "CHECKPOINT");
  takesText(group.add("--importance", line_.model_to_measure,
                      "Do not train: measure, by gradients over the images, how much each patch of "
                      "this model matters in each block, for Prune and Merge (20 batches of 64 "
                      "images)"),
            "MODEL");
  takesText(
      group.add("--init", line_.model_to_begin_with,
                "Fine-tune the weights of this model; the shape is its own, and its head where "
                "the classes are called as the folders"),
      "MODEL");
  takesText(
      group.add("--compensator", line_.model_to_compensate,
                "Train no model but a token compensator (ToCom) for this one, which ToMe then "
                "takes with the option of the same name; -o is its .safetensors file, and "
                "usual are 3 epochs and a highest rate of 1e-3 x batch / 512"),
      "MODEL");
  takesOneOf(group.add("--weights", line_.weights, "The model's precision: float16 or float32"),
             {"float16", "float32"});
  cli::takesDevice(group.add("--device", line_.device, "auto, cpu, cuda or cuda:N"));
  takesOneOf(group.add("--dtype", recipe.dtype,
                       "Of the matrix products: auto (bfloat16 where the device has it), float32 "
                       "or bfloat16"),
             {"auto", "float32", "bfloat16"});
  takesWholeNumber(group.add("--threads", line_.threads, "CPU threads; 0: all cores"), 0,
                   kMostThreads);
  takesWholeNumber(group.add("--seed", recipe.seed, "For all that is drawn at random"), 0);
  group.addFlag("--quiet", line_.quiet, "No progress bar, no warnings");
}

void CommandLineOptions::addShape() {
  Recipe& recipe = line_.recipe;
  Group group(app_, "Shape");
  takesWholeNumber(group.add("--image-size", recipe.image_size, "Side of the input in pixels"), 1,
                   kLargestSide);
  takesWholeNumber(group.add("--patch-size", recipe.patch_size, "Side of a patch in pixels"), 1,
                   kLargestSide);
  takesWholeNumber(group.add("--width", recipe.width, "Embedding dimension"), 1, kLargestWidth);
  takesWholeNumber(group.add("--depth", recipe.depth, "Blocks"), 1, kMostBlocks);
  takesWholeNumber(group.add("--heads", recipe.heads, "Attention heads"), 1, kLargestWidth);
  takesNumber(group.add("--mlp-ratio", recipe.mlp_ratio, "Width of the MLP over --width"), 0.01,
              64);
}

void CommandLineOptions::addSchedule() {
  Recipe& recipe = line_.recipe;
  Group group(app_, "Optimisation: AdamW, linear warm-up, cosine to 0");
  takesWholeNumber(group.add("--epochs", recipe.epochs, "Passes over the images"), 1);
  takesWholeNumber(group.add("--batch", recipe.batch, "Images in a step"), 1);
  takesNumber(group.add("--learning-rate", recipe.learning_rate, "The highest"), 1e-9, 10);
  takesNumber(group.add("--layer-decay", recipe.layer_decay,
                        "Factor of the rate from a block to the one before it, for --init"),
              0.01, 1);
  takesNumber(group.add("--average", recipe.average,
                        "Memory of a moving average of the weights, which is then measured and "
                        "written, as 0.999; 0: none"),
              0, 0.999999);
  takesNumber(group.add("--warm-up", recipe.warm_up, "Share of the run"), 0, 0.9);
  takesNumber(
      group.add("--weight-decay", recipe.weight_decay,
                "Decoupled, of matrices only: not of biases, norms, class token, positions"),
      0, 10);
  takesNumber(group.add("--beta1", recipe.beta1, "Memory of the gradient's mean"), 0, 0.99999);
  takesNumber(group.add("--beta2", recipe.beta2, "Memory of the gradient's square"), 0, 0.99999);
  takesNumber(group.add("--clip", recipe.clip, "Largest norm of the gradient; 0: any"), 0, 1e9);
}

void CommandLineOptions::addRegularisation() {
  Recipe& recipe = line_.recipe;
  Group group(app_, "Augmentation and regularisation");
  takesWholeNumber(
      group.add("--padding", recipe.padding, "Images move by up to so many of their pixels"), 0,
      kLargestSide);
  takesOneOf(group.add("--flip", recipe.flip, "Mirror half of the images: on or off"),
             {"on", "off"});
  takesNumber(group.add("--mixup", recipe.mixup, "alpha of Beta(alpha, alpha); 0: none"), 0, 100);
  takesNumber(group.add("--mixup-share", recipe.mixup_share, "Share of the batches mixed"), 0, 1);
  takesNumber(group.add("--label-smoothing", recipe.label_smoothing, "Spread over all classes"), 0,
              0.99);
  takesNumber(group.add("--stochastic-depth", recipe.stochastic_depth,
                        "Share of the last block's branches left out, rising from 0"),
              0, 0.99);
  group
      .add("--keep-patches", keep_patches_,
           "Share of the patches that enter until a share of the run is done, then all; '' keeps "
           "all throughout")
      .type_name("KEEP:UNTIL,...");
  takesText(group.add("--method", method_,
                      "Train with tokens merging as they will when the model runs: a method with "
                      "its settings, as 'tome r=8' or 'adamerge r_max=23'"),
            "METHOD");
  takesWholeNumber(group.add("--r", r_, "The method's r, as in --method 'tome r=8'"), 0,
                   kLargestSide);
}

CommandLine CommandLineOptions::read() const {
  CommandLine line = line_;
  const bool exports = !line.checkpoint_to_export.empty();
  const bool compensates = !line.model_to_compensate.empty();
  if (exports + compensates + !line.model_to_measure.empty() > 1) {
    throw cli::UsageError(
        "--export, --importance and --compensator are different things to do: give one of them");
  }
  if (compensates) {
    // These make a model or its training, which the one that is there has behind it.
    for (const char* option :
         {"--test", "--resume", "--checkpoint-every", "--log-every", "--image-size", "--patch-size",
          "--width", "--depth", "--heads", "--mlp-ratio", "--warm-up", "--clip", "--mixup",
          "--mixup-share", "--label-smoothing", "--stochastic-depth", "--keep-patches",
          "--weights"}) {
      if (app_.count(option) == 0) continue;
      throw cli::UsageError(
          fmt::format("{} has no effect with --compensator, which trains no model", option));
    }
    constexpr int kEpochs = 3;
    constexpr double kRateOfBatch = 1e-3 / 512;
    if (app_.count("--epochs") == 0) line.recipe.epochs = kEpochs;
    if (app_.count("--learning-rate") == 0) {
      line.recipe.learning_rate = kRateOfBatch * line.recipe.batch;
    }
  }
  if (exports && !line.data.empty()) {
    throw cli::UsageError("--export makes a model of a checkpoint and takes no images");
  }
  if (!exports && line.data.empty()) {
    throw cli::UsageError("images to train on are needed: adamerge-train DATA -o DIR");
  }
  const bool begins = !line.model_to_begin_with.empty();
  if (begins && (exports || !line.model_to_measure.empty())) {
    throw cli::UsageError("--init is what training begins with; nothing is trained here");
  }
  if (r_ && app_.count("--method") == 0) {
    throw cli::UsageError("--r has no effect here: it needs --method");
  }
  const MethodChoice merging =
      cli::parseVariant(r_ ? fmt::format("{} r={}", method_, *r_) : method_, "--method");
  line.recipe.method = merging.method;
  line.recipe.settings = merging.settings;
  line.statistics = merging.statistics;
  for (const char* name : kShape) {
    if (app_.get_option(std::string("--") + name)->count() > 0) line.shape.emplace_back(name);
  }
  // With a test set nothing is held out, whatever the share.
  if (!line.test.empty()) line.recipe.hold_out = 0;
  try {
    line.recipe.keep_patches = parseStages(keep_patches_);
    // Once the shape is the model's.
    if (!begins) requireUsable(line.recipe);
  } catch (const Error& error) {
    throw cli::UsageError(error.what());
  }
  return line;
}

}  // namespace adamerge::training
