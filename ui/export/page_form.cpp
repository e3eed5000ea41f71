// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/page_form.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QLabel>
#include <QSettings>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStandardPaths>
#include <algorithm>
#include <array>
#include <cmath>

#include "export/export_plan.h"
#include "look/paint.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

constexpr double kMmPerInch = 25.4;
// What the core draws.
constexpr double kNarrowestMm = 60;
constexpr double kWidestMm = 1000;

struct Preset {
  const char* name;
  double width_mm;  ///< 0: the figure's own
};
constexpr std::array<Preset, 4> kPresets{
    {{"Figure's own width", 0}, {"One column", 86}, {"Two columns", 178}, {"Slide", 254}}};

QWidget* row(std::initializer_list<QWidget*> widgets, QWidget* stretched) {
  auto* box = new QWidget;
  auto* layout = tightLayout<QHBoxLayout>(box);
  for (QWidget* widget : widgets) layout->addWidget(widget, widget == stretched ? 1 : 0);
  return box;
}

}  // namespace

FigureStyle PageOptions::style(const OverlayStyle& overlay) const {
  FigureStyle made;
  made.overlay = overlay;
  made.width_mm = width_mm;
  made.dpi = dpi;
  made.font_size = font_size;
  made.background = background;
  return made;
}

PageForm::PageForm(QWidget* parent)
    : QWidget(parent),
      form_(new QFormLayout(this)),
      preset_(new QComboBox),
      width_(new NumberBox),
      unit_(new QComboBox),
      dpi_(new CountBox),
      pixels_(new QLabel),
      font_size_(new NumberBox),
      background_(new QComboBox) {
  form_->setContentsMargins(0, 0, 0, 0);
  form_->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  buildWidth();
  buildRest();
  for (QWidget* field : {static_cast<QWidget*>(preset_), static_cast<QWidget*>(width_),
                         static_cast<QWidget*>(unit_), static_cast<QWidget*>(dpi_),
                         static_cast<QWidget*>(font_size_), static_cast<QWidget*>(background_)}) {
    ignoreWheelWithoutFocus(*field);
  }
  setOptions({});
}

void PageForm::buildWidth() {
  for (const Preset& preset : kPresets) preset_->addItem(tr(preset.name), preset.width_mm);
  preset_->addItem(tr("Custom"));
  preset_->setToolTip(tr("Journals print figures one column (86 mm) or two columns (178 mm) wide"));
  preset_->setAccessibleName(tr("Width preset"));
  unit_->addItems({tr("mm"), tr("in")});
  unit_->setAccessibleName(tr("Unit of the width"));
  width_->setAccessibleName(tr("Width"));
  width_->setKeyboardTracking(false);
  width_->setToolTip(tr("Width on paper, 60 to 1000 mm; the height follows"));
  form_->addRow(tr("&Width"), preset_);
  form_->addRow(QString(), row({width_, unit_}, width_));
  connect(preset_, &QComboBox::activated, this, &PageForm::choosePreset);
  connect(width_, &QDoubleSpinBox::valueChanged, this, [this] {
    width_mm_ = widthInSpin();
    preset_->setCurrentIndex(preset_->count() - 1);
    emit changed();
  });
  connect(unit_, &QComboBox::currentIndexChanged, this, [this] {
    showWidth();
    emit changed();
  });
}

void PageForm::buildRest() {
  dpi_->setRange(36, 2400);
  dpi_->setSingleStep(50);
  dpi_->setSuffix(tr(" dpi"));
  dpi_->setKeyboardTracking(false);
  dpi_->setToolTip(
      tr("Dots per inch of PNG: 300 for print, 150 for screens; SVG and PDF are "
         "sharp at every size"));
  font_size_->setRange(5, 14);
  font_size_->setSingleStep(0.5);
  font_size_->setDecimals(1);
  font_size_->setSuffix(tr(" pt"));
  font_size_->setKeyboardTracking(false);
  font_size_->setToolTip(tr("Size of the text on paper; lines and spaces grow with it"));
  background_->addItem(tr("Light"), static_cast<int>(Background::kLight));
  background_->addItem(tr("Dark"), static_cast<int>(Background::kDark));
  background_->addItem(tr("Transparent"), static_cast<int>(Background::kTransparent));
  background_->setToolTip(tr("Transparent figures have dark ink, for light paper and slides"));
  form_->addRow(tr("&Resolution"), row({dpi_, pixels_}, dpi_));
  qobject_cast<QLabel*>(form_->labelForField(dpi_->parentWidget()))->setBuddy(dpi_);
  form_->addRow(tr("&Text size"), font_size_);
  form_->addRow(tr("&Background"), background_);
  connect(dpi_, &QSpinBox::valueChanged, this, [this] {
    showPixels();
    emit changed();
  });
  connect(font_size_, &QDoubleSpinBox::valueChanged, this, &PageForm::changed);
  connect(background_, &QComboBox::currentIndexChanged, this, &PageForm::changed);
}

PageOptions PageForm::options() const {
  return {width_mm_, unit_->currentIndex() == 1, dpi_->value(), font_size_->value(),
          static_cast<Background>(background_->currentData().toInt())};
}

void PageForm::setOptions(const PageOptions& options) {
  {
    const QSignalBlocker preset(preset_);
    const QSignalBlocker unit(unit_);
    const QSignalBlocker dpi(dpi_);
    const QSignalBlocker font(font_size_);
    const QSignalBlocker background(background_);
    width_mm_ = options.width_mm;
    const int known = preset_->findData(options.width_mm);
    preset_->setCurrentIndex(known >= 0 ? known : preset_->count() - 1);
    unit_->setCurrentIndex(options.inches ? 1 : 0);
    dpi_->setValue(options.dpi);
    font_size_->setValue(options.font_size);
    background_->setCurrentIndex(background_->findData(static_cast<int>(options.background)));
    showWidth();
    showPixels();
  }
  emit changed();
}

void PageForm::setPageSize(const QSizeF& mm) {
  page_mm_ = mm;
  if (width_mm_ == 0) showWidth();
  showPixels();
}

void PageForm::setResolutionUsed(bool used) {
  dpi_->setEnabled(used);
  showPixels();
}

void PageForm::choosePreset(int index) {
  const QVariant width = preset_->itemData(index);
  if (width.isValid()) {
    width_mm_ = width.toDouble();
    showWidth();
    emit changed();
  } else {
    width_->setEnabled(true);
    width_->setSpecialValueText({});
    width_mm_ = widthInSpin();
    width_->setFocus();
    emit changed();
  }
}

/// Without taking the shown value for an entered one.
void PageForm::showWidth() {
  const QSignalBlocker blocker(width_);
  const bool inches = unit_->currentIndex() == 1;
  const double unit = inches ? kMmPerInch : 1;
  width_->setDecimals(inches ? 2 : 1);
  width_->setSingleStep(inches ? 0.1 : 1);
  width_->setRange(kNarrowestMm / unit, kWidestMm / unit);
  const double shown = width_mm_ > 0 ? width_mm_ : page_mm_.width();
  width_->setEnabled(shown > 0);
  width_->setSpecialValueText(shown > 0 ? QString() : tr("varies"));
  width_->setValue(shown > 0 ? shown / unit : width_->minimum());
}

double PageForm::widthInSpin() const {
  const double mm = width_->value() * (unit_->currentIndex() == 1 ? kMmPerInch : 1);
  return std::clamp(mm, kNarrowestMm, kWidestMm);
}

void PageForm::showPixels() {
  if (!dpi_->isEnabled() || page_mm_.isEmpty()) {
    pixels_->hide();
    return;
  }
  pixels_->show();
  pixels_->setText(tr("%1 × %2 pixels")
                       .arg(pixelsOf(page_mm_.width(), dpi_->value()))
                       .arg(pixelsOf(page_mm_.height(), dpi_->value())));
}

namespace {

const QString kExportGroup = QStringLiteral("export");

}  // namespace

const std::vector<FigureFormat>& allFormats() {
  static const std::vector<FigureFormat> formats{FigureFormat::kPng, FigureFormat::kSvg,
                                                 FigureFormat::kPdf};
  return formats;
}

QString extension(FigureFormat format) {
  switch (format) {
    case FigureFormat::kSvg:
      return QStringLiteral("svg");
    case FigureFormat::kPdf:
      return QStringLiteral("pdf");
    case FigureFormat::kPng:
      break;
  }
  return QStringLiteral("png");
}

PageOptions loadPageOptions(const QString& group) {
  QSettings settings;
  settings.beginGroup(group);
  PageOptions page;
  page.width_mm = settings.value("width_mm", page.width_mm).toDouble();
  if (page.width_mm != 0) page.width_mm = std::clamp(page.width_mm, 60.0, 1000.0);
  page.inches = settings.value("inches", page.inches).toBool();
  page.dpi = std::clamp(settings.value("dpi", page.dpi).toInt(), 36, 2400);
  page.font_size = std::clamp(settings.value("font_size", page.font_size).toDouble(), 5.0, 14.0);
  page.background = static_cast<Background>(std::clamp(settings.value("background", 0).toInt(), 0,
                                                       static_cast<int>(Background::kTransparent)));
  return page;
}

void savePageOptions(const QString& group, const PageOptions& page) {
  QSettings settings;
  settings.beginGroup(group);
  settings.setValue("width_mm", page.width_mm);
  settings.setValue("inches", page.inches);
  settings.setValue("dpi", page.dpi);
  settings.setValue("font_size", page.font_size);
  settings.setValue("background", static_cast<int>(page.background));
}

ExportOptions ExportOptions::load() {
  ExportOptions options;
  options.page = loadPageOptions(kExportGroup);
  QSettings settings;
  settings.beginGroup(kExportGroup);
  const QString format = settings.value("format", extension(options.format)).toString();
  for (const FigureFormat known : allFormats()) {
    if (extension(known) == format) options.format = known;
  }
  const QString pictures = QStandardPaths::writableLocation(QStandardPaths::PicturesLocation);
  options.folder = settings.value("folder", pictures).toString();
  options.name = settings.value("name", defaultFileName()).toString();
  options.data = settings.value("data").toStringList();
  return options;
}

void ExportOptions::save() const {
  savePageOptions(kExportGroup, page);
  QSettings settings;
  settings.beginGroup(kExportGroup);
  settings.setValue("format", extension(format));
  settings.setValue("folder", folder);
  settings.setValue("name", name);
  settings.setValue("data", data);
}

}  // namespace adamerge::ui
