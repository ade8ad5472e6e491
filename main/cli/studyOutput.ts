/** How `rotascope study` shows what goes on: JSON lines, plain lines, or a bar on a terminal. */
import { SingleBar } from 'cli-progress';
import type { Stage, Study } from '../contract/api.ts';
import type { WorkerEvent } from '../contract/events.ts';

export interface StudyOutput {
  /** Called with every state of the study, oldest first. */
  study(study: Study): void;
  event(stage: Stage, jobId: string, event: WorkerEvent): void;
  /** Of what holds it up. */
  note(text: string): void;
  end(): void;
}

const print = (line: object): void => console.log(JSON.stringify(line));

/** Every event as it is in the database, with its stage; and each change of a stage and of the study. */
function jsonOutput(): StudyOutput {
  const shown = new Map<string, string>();
  const changed = (key: string, state: string): boolean => {
    if (shown.get(key) === state) return false;
    shown.set(key, state);
    return true;
  };
  return {
    study({ id, name, state, progress, remainingMs, stages }) {
      for (const stage of stages)
        if (changed(stage.id, stage.state)) {
          const { id: stageId, kind, seed, jobId, title } = stage;
          print({ type: 'stage', stageId, kind, seed, title, state: stage.state, jobId });
        }
      const percent = Math.floor(progress * 100);
      if (changed('', `${state} ${percent}`)) print({ type: 'study', studyId: id, name, state, progress, remainingMs });
    },
    event: (stage, jobId, event) => print({ stageId: stage.id, jobId, ...event }),
    note: console.error,
    end: () => undefined,
  };
}

export function formatDuration(ms: number | null): string {
  if (ms === null) return '';
  const seconds = Math.round(ms / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** Stages as they end; between them nothing, or a bar on a terminal. */
function textOutput(bar: SingleBar | null): StudyOutput {
  const shown = new Map<string, string>();
  let started = false;
  const line = (text: string): void => {
    if (!bar || !started) console.log(text);
    else {
      // The bar is drawn again below the line.
      process.stderr.write(`\r\u001b[K`);
      console.log(text);
    }
  };
  return {
    study({ stages, progress, remainingMs }) {
      for (const { id, seed, title, state } of stages) {
        if (shown.get(id) === state || state === 'waiting' || state === 'queued') continue;
        shown.set(id, state);
        line(`${state.padEnd(11)} ${title}${seed >= 0 ? ` · seed ${seed}` : ''}`);
      }
      if (!bar) return;
      if (!started) bar.start(100, 0, { left: '' });
      started = true;
      bar.update(Math.floor(progress * 100), { left: remainingMs ? `${formatDuration(remainingMs)} left` : '' });
    },
    event: () => undefined,
    note: line,
    end: () => bar?.stop(),
  };
}

export function makeStudyOutput(json: boolean): StudyOutput {
  if (json) return jsonOutput();
  const terminal = process.stderr.isTTY;
  const format = '{bar} {percentage} %  {left}';
  return textOutput(terminal ? new SingleBar({ format, stream: process.stderr, hideCursor: true }) : null);
}
