/** The settings that a training run was made with, from its own request and, for what came before it, from its study. */
import type { Job } from '../contract/api.ts';
import type { Store } from '../store/store.ts';

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** { sft: { steps: 5 } } -> { 'sft.steps': 5 } */
export function byPath(tree: Tree, prefix = ''): Tree {
  return Object.assign(
    {},
    ...Object.entries(tree).map(([name, value]) =>
      isTree(value) ? byPath(value, `${prefix}${name}.`) : { [`${prefix}${name}`]: value },
    ),
  ) as Tree;
}

/** Folders: they name checkpoints, whose settings are there by themselves. */
const isFolder = (name: string): boolean => ['outputFolder', 'base', 'start'].includes(name);

export function runSettings(store: Store, { kind, request, studyId }: Job): Tree {
  const study = studyId === null ? undefined : store.studies.get(studyId)?.settings;
  const own = isTree(request) ? Object.fromEntries(Object.entries(request).filter(([name]) => !isFolder(name))) : {};
  // What the run's start was made with.
  const before = study && {
    model: study.model,
    pretrain: study.pretrain,
    ...(kind === 'rl' ? { sft: study.sft } : {}),
  };
  return byPath({ stage: kind, ...before, ...own });
}
