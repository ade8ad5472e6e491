import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { randomControls } from '../../../../main/contract/sweeps.ts';
import {
  controlModel,
  interpolateWeights,
  revertModel,
  type EditedModel,
  type ModelReversion,
} from '../../../../main/ml/reversion/revertModel.ts';
import { CheckpointDecompositions } from '../../../../main/ml/spectral/checkpointDecompositions.ts';
import { frobeniusNorm, thinSvd, toPrecision } from '../../../../main/ml/spectral/linearAlgebra.ts';

const shapes: Record<string, [number, number]> = {
  'model.layers.0.self_attn.q_proj.weight': [16, 16],
  'model.layers.0.self_attn.k_proj.weight': [8, 16],
  'model.layers.0.mlp.down_proj.weight': [16, 24],
};
const names = Object.keys(shapes);

function weightsOf(step: number): Map<string, { shape: number[]; data: Float32Array }> {
  const weights = new Map<string, { shape: number[]; data: Float32Array }>();
  const all: [string, number[]][] = [...Object.entries(shapes), ['model.norm.weight', [16]]];
  for (const [name, shape] of all) {
    const size = shape.reduce((a, b) => a * b, 1);
    const start = new Philox('start', name).gaussians(size);
    const change = new Philox('change', name).gaussians(size);
    weights.set(name, { shape, data: start.map((w, i) => w + step * change[i]!) });
  }
  return weights;
}

const pair = {
  reference: new CheckpointDecompositions(weightsOf(0)),
  target: new CheckpointDecompositions(weightsOf(0.05)),
};
const edits: ModelReversion[] = [
  { revert: 'singularVectors', weights: names },
  { revert: 'singularValues', weights: names },
  { revert: 'both', weights: names },
  { revert: 'singularVectors', weights: names, ranks: { top: 4 } },
];

function changeOf(edited: EditedModel, name: string): Float64Array {
  const target = pair.target.weights.get(name)!.data;
  return Float64Array.from(edited.weights.get(name)!.data, (w, i) => w - target[i]!);
}

function spectrumOfChange(edited: EditedModel, name: string): Float64Array {
  const [rows, columns] = shapes[name]!;
  return thinSvd({ rows, columns, data: changeOf(edited, name) }).s;
}

describe('an edited model', () => {
  it.each(edits)('touches only its matrices and records what it did ($revert, $ranks)', (edit) => {
    const edited = revertModel(pair, edit);
    expect([...edited.weights.keys()]).toEqual([...pair.target.weights.keys()]);
    expect(edited.weights.get('model.norm.weight')!.data).toBe(pair.target.weights.get('model.norm.weight')!.data);
    const { record } = edited;
    expect(record.matrices.map((m) => m.weight)).toEqual(names);
    expect(record.changeNorm).toBeCloseTo(frobeniusNorm(names.flatMap((name) => [...changeOf(edited, name)])), 5);
    const size = frobeniusNorm(names.flatMap((name) => [...pair.target.weights.get(name)!.data]));
    expect(record.relativeChange).toBeCloseTo(record.changeNorm / size, 12);
    expect(record.effectiveRank).toBeCloseTo(edit.ranks ? 4 : (16 + 8 + 16) / 3, 12);
    expect(record.negativeSingularValues).toBe(0);
  });

  it('with nothing to edit is the target, array by array', () => {
    const edited = revertModel(pair, { revert: 'both', weights: [] });
    for (const [name, { data }] of pair.target.weights) expect(edited.weights.get(name)!.data).toBe(data);
    expect(edited.record).toMatchObject({ changeNorm: 0, relativeChange: 0, effectiveRank: 0 });
  });

  it('names the weight that the reference lacks', () => {
    const lacking = new CheckpointDecompositions(new Map([...pair.reference.weights].slice(1)));
    expect(() => revertModel({ ...pair, reference: lacking }, edits[0]!)).toThrow(/q_proj/);
  });
});

describe.each(randomControls)('the %s control', (control) => {
  it.each(edits)('matches the norm of every matrix ($revert, $ranks)', (edit) => {
    const { record } = revertModel(pair, edit);
    const controlled = controlModel(pair, edit, { control, study: 'study 0', replicate: 0 }).record;
    controlled.matrices.forEach((m, i) =>
      expect(Math.abs(m.changeNorm / record.matrices[i]!.changeNorm - 1)).toBeLessThanOrEqual(1e-3),
    );
    expect(controlled.effectiveRank).toBe(record.effectiveRank);
  });

  it('repeats, and differs between replicates and studies', () => {
    const draw = (study: string, replicate: number): Float32Array =>
      controlModel(pair, edits[0]!, { control, study, replicate }).weights.get(names[0]!)!.data;
    expect(draw('a', 0)).toEqual(draw('a', 0));
    expect(draw('a', 0)).not.toEqual(draw('a', 1));
    expect(draw('a', 0)).not.toEqual(draw('b', 0));
  });
});

describe('controls', () => {
  const choice = { study: 'study 0', replicate: 3 };

  it('scrambled keeps every singular value of the change; noise does not', () => {
    const edit = edits[0]!;
    const wanted = spectrumOfChange(revertModel(pair, edit), names[1]!);
    const kept = spectrumOfChange(controlModel(pair, edit, { ...choice, control: 'scrambled' }), names[1]!);
    kept.forEach((s, i) => expect(Math.abs(s - wanted[i]!)).toBeLessThan(1e-5));
    const noise = spectrumOfChange(controlModel(pair, edit, { ...choice, control: 'noise' }), names[1]!);
    expect(Math.abs(noise[0]! - wanted[0]!)).toBeGreaterThan(1e-3);
  });

  it('rotation keeps the spectrum of the target at full rank; a partial one has a defect', () => {
    const spectrum = (edited: EditedModel): Float64Array =>
      thinSvd(toPrecision({ rows: 8, columns: 16, data: edited.weights.get(names[1]!)!.data }, 'float64')).s;
    const full = controlModel(pair, edits[0]!, { ...choice, control: 'rotation' });
    spectrum(full).forEach((s, i) => expect(Math.abs(s - pair.target.of(names[1]!).s[i]!)).toBeLessThan(1e-5));
    expect(full.record.orthogonalityDefect).toBeLessThan(1e-12);
    const partial = controlModel(pair, edits[3]!, { ...choice, control: 'rotation' });
    expect(partial.record.orthogonalityDefect).toBeGreaterThan(1e-3);
  });

  it('shares its draws between the points of a sweep', () => {
    const noise = (top: number): Float64Array => {
      const edited = controlModel(pair, { ...edits[3]!, ranks: { top } }, { ...choice, control: 'noise' });
      const change = changeOf(edited, names[0]!);
      const norm = frobeniusNorm(change);
      return change.map((x) => x / norm);
    };
    const [narrow, wide] = [noise(2), noise(12)];
    narrow.forEach((x, i) => expect(Math.abs(x - wide[i]!)).toBeLessThan(1e-4));
  });

  it('says when no rotation reaches the norm', () => {
    const far = new CheckpointDecompositions(
      new Map(
        [...pair.target.weights].map(([name, { shape, data }]) => [name, { shape, data: data.map((w) => -9 * w) }]),
      ),
    );
    const impossible = () => controlModel({ ...pair, reference: far }, edits[2]!, { ...choice, control: 'rotation' });
    expect(impossible).toThrow(expect.objectContaining({ code: 'COMPUTE_FAILED' }));
    expect(impossible).toThrow(/q_proj.*no rotation/);
  });

  it('a dose goes along one edit as far as the other one goes', () => {
    const [vectors, values] = [edits[0]!, edits[1]!];
    const [byVectors, byValues] = [revertModel(pair, vectors), revertModel(pair, values)];
    const shrunk = controlModel(pair, vectors, { control: 'dose' });
    const stretched = controlModel(pair, values, { control: 'dose' });
    names.forEach((name, i) => {
      expect(shrunk.record.matrices[i]!.changeNorm).toBeCloseTo(byValues.record.matrices[i]!.changeNorm, 10);
      expect(stretched.record.matrices[i]!.changeNorm).toBeCloseTo(byVectors.record.matrices[i]!.changeNorm, 10);
      expect(shrunk.record.matrices[i]!.scale).toBeLessThan(1);
      expect(stretched.record.matrices[i]!.scale).toBeGreaterThan(1);
      const [along, full] = [changeOf(shrunk, name), changeOf(byVectors, name)];
      const scale = shrunk.record.matrices[i]!.scale!;
      along.forEach((x, at) => expect(Math.abs(x - scale * full[at]!)).toBeLessThan(1e-6));
    });
    expect(() => controlModel(pair, edits[2]!, { control: 'dose' })).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
  });

  it('counts negative singular values of a stretched value change, and does not clip them', () => {
    // turned by 180 degrees and 5 % smaller: vectors far away, values near, so that the dose overshoots through zero
    const turned = new Map(
      [...pair.target.weights].map(([name, { shape, data }]) => [
        name,
        { shape, data: data.toReversed().map((w) => 0.95 * w) },
      ]),
    );
    const { weights, record } = controlModel({ ...pair, reference: new CheckpointDecompositions(turned) }, edits[1]!, {
      control: 'dose',
    });
    expect(record.matrices[0]!.scale).toBeGreaterThan(20);
    expect(record.negativeSingularValues).toBe(16 + 8 + 16);
    const { data } = weights.get(names[0]!)!;
    const shrink = 1 - 0.05 * record.matrices[0]!.scale!;
    data.forEach((w, i) => expect(w).toBeCloseTo(shrink * pair.target.weights.get(names[0]!)!.data[i]!, 4));
  });
});

describe('interpolation', () => {
  const [target, reference] = [pair.target.weights, pair.reference.weights];

  it('is the target at 0 and the reference at 1, bit for bit, over all tensors', () => {
    for (const [name, { data }] of target)
      expect(interpolateWeights(target, reference, 0).weights.get(name)!.data).toEqual(data);
    for (const [name, { data }] of reference)
      expect(interpolateWeights(target, reference, 1).weights.get(name)!.data).toEqual(data);
  });

  it('is linear between, and records how far it went', () => {
    const { weights, record } = interpolateWeights(target, reference, 0.25);
    const norm = 'model.norm.weight';
    weights.get(norm)!.data.forEach((w, i) => {
      const [t, r] = [target.get(norm)!.data[i]!, reference.get(norm)!.data[i]!];
      expect(w).toBeCloseTo(t + 0.25 * (r - t), 6);
    });
    expect(record.changeNorm).toBeCloseTo(0.25 * interpolateWeights(target, reference, 1).record.changeNorm, 10);
  });

  it('refuses checkpoints of another shape', () => {
    const other = new Map(reference).set('model.norm.weight', { shape: [15], data: new Float32Array(15) });
    expect(() => interpolateWeights(target, other, 0.5)).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
  });
});
