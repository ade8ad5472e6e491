/**
 * What jobs and the machine use over time: processors, memory of the jobs, free memory of the machine, and the GPU where
 * one tells. Each job that runs now has its line; those that have ended count in the line of all jobs.
 */
import type { Usage, UsageSample } from '../../../main/contract/queue.ts';
import type { ChartFrame, Figure } from '../../figures/figure.ts';
import { curve, legend, still, tooltip, type TipPoint } from '../../figures/marks.ts';
import { columnsFor, panels, type PanelSpec } from '../../figures/panels.ts';
import { absoluteTime, bytes, decimal } from '../../figures/quantities.ts';
import { thinnedUsage } from './thinnedUsage.ts';

export interface RunningJob {
  id: string;
  title: string;
}

/** Jobs with a line of their own; more are told in the line of all. */
const mostLines = 6;
/** A longer gap than so many intervals was idle: no line is drawn over it. */
const gapIntervals = 2.5;
const bytesPerGB = 1e9;

type Read = (sample: UsageSample) => number | null;
interface Line {
  name: string;
  color: string;
  read: Read;
  width?: number;
  dashed?: boolean;
}
interface Panel {
  title: string;
  unit: string;
  max?: number;
  say(value: number): string;
  lines: Line[];
}

const gigabytes = (count: number): number => count / bytesPerGB;
const sayGB = (value: number): string => bytes(value * bytesPerGB);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

type JobUse = UsageSample['jobs'][number];
/** All jobs, then each that runs. */
function jobLines(
  jobs: readonly (RunningJob & { color: string })[],
  read: (use: JobUse) => number | null,
  ink: string,
): Line[] {
  const all: Read = (sample) => {
    const values = sample.jobs.flatMap((use) => read(use) ?? []);
    return values.length === 0 ? null : sum(values);
  };
  const own = jobs.map(({ id, title, color }): Line => ({
    name: title,
    color,
    read: (sample) => {
      const use = sample.jobs.find((one) => one.id === id);
      return use === undefined ? null : read(use);
    },
  }));
  return [{ name: 'all jobs', color: ink, read: all, width: 2.5 }, ...own];
}

function panelsOf(
  { cores, memoryBytes, samples }: Usage,
  running: readonly RunningJob[],
  { theme }: ChartFrame,
): Panel[] {
  const colors = theme.matrices;
  const jobs = running.slice(0, mostLines).map((job, index) => ({ ...job, color: colors[index % colors.length]! }));
  const { ink, neutral } = theme;
  const machine = (read: Read): Line => ({ name: 'machine', color: neutral, read, dashed: true });
  const found: Panel[] = [
    {
      title: 'Processors in use',
      unit: `processors of ${cores}`,
      say: (value) => `${decimal(value)} processors`,
      lines: [machine(({ busyCores }) => busyCores), ...jobLines(jobs, (use) => use.cores, ink)],
    },
    {
      title: 'Memory of the jobs',
      unit: 'resident memory (GB)',
      say: sayGB,
      lines: jobLines(jobs, (use) => gigabytes(use.rssBytes), ink),
    },
    {
      title: 'Free memory of the machine',
      unit: `GB of ${gigabytes(memoryBytes).toFixed(1)}`,
      max: gigabytes(memoryBytes),
      say: sayGB,
      lines: [machine(({ freeMemoryBytes }) => gigabytes(freeMemoryBytes))],
    },
  ];
  const gpus = samples.at(-1)?.gpus ?? [];
  const perGpu = (read: (gpu: UsageSample['gpus'][number]) => number | null): Line[] =>
    gpus.map(({ name }, index) => ({
      name: gpus.length > 1 ? `${name} ${index}` : name,
      color: colors[index % colors.length]!,
      read: (sample) => {
        const gpu = sample.gpus[index];
        return gpu === undefined ? null : read(gpu);
      },
      dashed: true,
    }));
  const gpuOfJobs = samples.some((sample) => sample.jobs.some(({ gpuBytes }) => gpuBytes !== null))
    ? jobLines(jobs, ({ gpuBytes }) => (gpuBytes === null ? null : gigabytes(gpuBytes)), ink)
    : [];
  if (gpus.length > 0 || gpuOfJobs.length > 0)
    found.push({
      title: 'GPU memory in use',
      unit: 'GB',
      say: sayGB,
      lines: [...perGpu(({ usedBytes }) => gigabytes(usedBytes)), ...gpuOfJobs],
    });
  if (gpus.some(({ busyShare }) => busyShare !== null))
    found.push({
      title: 'GPU in use',
      unit: '% of the time',
      max: 100,
      say: (value) => `${value.toFixed(0)} %`,
      lines: perGpu(({ busyShare }) => (busyShare === null ? null : 100 * busyShare)),
    });
  return found;
}

/** Of one line, broken where nothing ran. */
function pointsOf({ samples, intervalMs }: Usage, { name, read }: Line, say: Panel['say']): TipPoint[] {
  return samples.flatMap((sample, index) => {
    const before = samples[index - 1]?.timeMs ?? sample.timeMs;
    const gap = sample.timeMs - before > gapIntervals * intervalMs;
    const value = read(sample);
    const tip = value === null ? '' : `${name}: ${say(value)}`;
    return [...(gap ? [{ value: [before + 1, null], tip: '' }] : []), { value: [sample.timeMs, value], tip }];
  });
}

export function usageFigure(usage: Usage, running: readonly RunningJob[], frame: ChartFrame): Figure | null {
  const last = usage.samples.at(-1);
  if (last === undefined) return null;
  const shown = panelsOf(usage, running, frame);
  const names = [...new Set(shown.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const specs = shown.map(({ title, unit, max }): PanelSpec => ({
    title,
    x: { name: '', kind: 'time' },
    y: { name: unit, min: 0, ...(max === undefined ? {} : { max }), labelWidthPx: 40 },
  }));
  const layout = { columns: columnsFor(frame, 3, 290), plotHeightPx: 150, legend: names };
  const { heightPx, ...axes } = panels(specs, layout, frame);
  const drawn = thinnedUsage(usage);
  const series = shown.flatMap(({ lines, say }, panel) =>
    lines.map((line) => {
      const { name, color, width, dashed } = line;
      const style = { name, color, panel, symbol: 'none', ...(width && { width }), ...(dashed && { dashed }) } as const;
      return curve(pointsOf(drawn, line, say), style);
    }),
  );
  const columns = shown.flatMap(({ title, unit, lines }) => lines.map(({ name }) => `${title}: ${name} (${unit})`));
  const cells = shown.flatMap(({ lines }) => lines.map(({ read }) => read));
  const [processors, memory] = [sum(last.jobs.map(({ cores }) => cores)), sum(last.jobs.map((use) => use.rssBytes))];
  return {
    heightPx,
    option: {
      ...still,
      ...axes,
      series,
      legend: legend(names, frame),
      tooltip: tooltip(frame.theme, 'axis', (timeMs) => absoluteTime(Number(timeMs))),
    },
    summary:
      `Use of the machine over time; last, ${absoluteTime(last.timeMs)}: ${last.jobs.length === 1 ? '1 job' : `${last.jobs.length} jobs`} used ${decimal(processors)} ` +
      `processors and ${bytes(memory)} of memory; ${decimal(last.busyCores)} of ${usage.cores} processors of the machine were ` +
      `busy and ${bytes(last.freeMemoryBytes)} of its memory free.`,
    table: {
      columns: ['time', ...columns],
      rows: usage.samples.map((sample) => [absoluteTime(sample.timeMs), ...cells.map((read) => read(sample))]),
    },
  };
}
