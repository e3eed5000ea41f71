// SPDX-License-Identifier: GPL-3.0-or-later
// ONNX Runtime by its Node module: the same library, session and answers as peer_onnxruntime.py.
//   node peer_onnxruntime.js FOLDER THREADS
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const ort = require('onnxruntime-node');

const kFolder = process.argv[2];
const kConfig = JSON.parse(fs.readFileSync(path.join(kFolder, 'config.json')));
const kSide = kConfig.pretrained_cfg.input_size[1];
const kImageValues = 3 * kSide * kSide;

function readImages(folder) {
  const bytes = fs.readFileSync(path.join(folder, 'input.f32'));
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function batchOf(images, batch) {
  const values = new Float32Array(batch * kImageValues);
  for (let i = 0; i < values.length; ++i) values[i] = images[i % images.length];
  return {image: new ort.Tensor('float32', values, [batch, 3, kSide, kSide])};
}

async function main(folder, threads) {
  const session = await ort.InferenceSession.create(
      path.join(folder, 'model.onnx'),
      {executionProviders: ['cpu'], intraOpNumThreads: threads, graphOptimizationLevel: 'all'});
  const images = readImages(folder);
  const answer = (value) => process.stdout.write(JSON.stringify(value) + '\n');
  const version = require('onnxruntime-node/package.json').version;
  const prepared = new Map();
  answer({ready: {onnxruntime: version, node: process.version, threads}});
  for await (const line of readline.createInterface({input: process.stdin})) {
    const request = JSON.parse(line);
    if (request.logits) {
      const count = images.length / kImageValues;
      const {logits} = await session.run(batchOf(images, count));
      const classes = logits.dims[1];
      const rows = Array.from(
          {length: count}, (_, i) => Array.from(logits.data.slice(i * classes, (i + 1) * classes)));
      answer({logits: rows});
      continue;
    }
    if (!prepared.has(request.batch)) {
      prepared.set(request.batch, batchOf(images, request.batch));
    }
    const ms = [];
    for (let run = 0; run < request.runs; ++run) {
      const start = process.hrtime.bigint();
      await session.run(prepared.get(request.batch));
      ms.push(Number(process.hrtime.bigint() - start) / 1e6);
    }
    answer({ms, peak_bytes: 1024 * process.resourceUsage().maxRSS});
  }
}

main(kFolder, Number(process.argv[3])).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
