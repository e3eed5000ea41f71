// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/evaluation_report.h"

#include <utility>

namespace adamerge::ui {

EvaluationReportPtr makeReport(Evaluation evaluation, const ModelInfo& model,
                               const std::filesystem::path& data,
                               const std::vector<std::string>& notes) {
  auto report = std::make_shared<EvaluationReport>();
  report->evaluation = std::move(evaluation);
  report->model = model.source;
  report->data = data;
  report->notes = notes;
  const auto& points = report->evaluation.points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto other = counterpart(report->evaluation, i);
    report->compared.push_back(
        other ? std::optional<PointComparison>({*other, mcNemar(points[i], points[*other])})
              : std::nullopt);
  }
  return report;
}

AccuracyRecord toRecord(const Evaluation& evaluation) {
  AccuracyRecord record;
  record.model = evaluation.model;
  record.dataset = evaluation.dataset;
  record.images = evaluation.images();
  for (const SkippedImage& image : evaluation.skipped) record.skipped.push_back(image.name);
  record.device = evaluation.device;
  record.dtype = evaluation.dtype;
  for (const EvaluatedPoint& point : evaluation.points) record.points.push_back(point.accuracy);
  return record;
}

}  // namespace adamerge::ui
