/** Exports of a point, found again among the jobs after a reload, and what each left. */
import type { Job } from '../../../main/contract/api.ts';
import {
  exportPointRequestSchema,
  exportReportSchema,
  sweepPointSchema,
  type ExportReport,
  type SweepPoint,
  type SweepResult,
} from '../../../main/contract/sweeps.ts';
import { call } from '../../engine/engine.ts';

/** Fields in the schema's order, whatever else a result carries. */
const identity = (point: SweepPoint): string => JSON.stringify(sweepPointSchema.parse(point));

export interface PointExport {
  job: Job;
  folder: string;
}

/** Export jobs of this point with these settings, newest first. */
export function exportsOf(jobs: readonly Job[], sweep: SweepResult, point: SweepPoint): PointExport[] {
  const [wanted, settings] = [identity(point), JSON.stringify(sweep.settings.sweep)];
  const pair = sweep.pairs[point.pair];
  return jobs.flatMap((job) => {
    if (job.kind !== 'exportPoint') return [];
    const request = exportPointRequestSchema.safeParse(job.request);
    if (!request.success || pair === undefined) return [];
    const { data } = request;
    const isSame =
      identity(data.point) === wanted &&
      data.pair.target.id === pair.target.id &&
      data.pair.reference.id === pair.reference.id &&
      JSON.stringify(data.settings.sweep) === settings;
    return isSame ? [{ job, folder: data.outputFolder }] : [];
  });
}

/** What a finished export says; null where it said nothing of this form. */
export async function exportReport(job: Job): Promise<ExportReport | null> {
  const events = await call('jobs.events', { id: job.id, afterSeq: Math.max(0, job.lastSeq - 20), limit: 1000 });
  for (const event of [...events].reverse()) {
    if (event.type !== 'succeeded' && event.type !== 'artifact') continue;
    const report = exportReportSchema.safeParse(event.data);
    if (report.success) return report.data;
  }
  return null;
}
