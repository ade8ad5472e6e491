/** The edits and their random controls by name, as the contract spells them. */
export const revertKinds = ['singularValues', 'singularVectors', 'both'] as const;
export type RevertKind = (typeof revertKinds)[number];

/** The default first. */
export const randomControls = ['scrambled', 'rotation', 'noise'] as const;
export type RandomControl = (typeof randomControls)[number];
