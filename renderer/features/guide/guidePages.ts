/** The user guide: one page for each page of the app, in its order. */
const html = import.meta.glob<string>('./pages/*.md', { eager: true, import: 'default' });

export interface GuidePage {
  name: string;
  title: string;
  html: string;
}

/** By the name of the route that a page explains. */
const nameByRoute: Record<string, string> = {
  home: 'home',
  studies: 'studies',
  newStudy: 'new-study',
  study: 'study',
  answers: 'answers',
  pointAnswers: 'answers',
  compareStudies: 'compare-studies',
  runs: 'runs',
  checkpoints: 'checkpoints',
  checkpoint: 'checkpoint',
  compareCheckpoints: 'compare-checkpoints',
  spectrum: 'spectrum',
  comparison: 'comparison',
  ablations: 'ablations',
  newAblation: 'new-ablation',
  ablation: 'ablation',
  figures: 'figures',
  jobs: 'jobs',
  settings: 'settings',
};

export const guidePages: GuidePage[] = [...new Set(Object.values(nameByRoute))].map((name) => {
  const page = html[`./pages/${name}.md`]!;
  return { name, title: /<h1>(.*?)<\/h1>/.exec(page)![1]!, html: page };
});

/** The page that explains the route; Home where there is none. */
export const guidePageOf = (route: unknown): GuidePage =>
  guidePages.find(({ name }) => name === nameByRoute[String(route)]) ?? guidePages[0]!;
