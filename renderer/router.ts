/** Addresses of the pages. Every one can be opened directly and survives a reload. */
import { createRouter, createWebHistory } from 'vue-router';
import HomeView from './features/home/HomeView.vue';

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'home', component: HomeView, meta: { title: 'Home' } },
    {
      path: '/studies',
      name: 'studies',
      component: () => import('./features/studies/StudiesView.vue'),
      meta: { title: 'Studies' },
    },
    {
      path: '/studies/new',
      name: 'newStudy',
      component: () => import('./features/studies/NewStudyView.vue'),
      meta: { title: 'New study' },
    },
    {
      path: '/studies/compare',
      name: 'compareStudies',
      component: () => import('./features/studies/CompareStudiesView.vue'),
      meta: { title: 'Compare studies' },
    },
    {
      path: '/studies/:id',
      name: 'study',
      component: () => import('./features/study/StudyView.vue'),
      props: true,
      meta: { title: 'Study' },
    },
    {
      path: '/runs',
      name: 'runs',
      component: () => import('./features/runs/RunsView.vue'),
      meta: { title: 'Runs' },
    },
    {
      path: '/studies/:id/answers',
      name: 'answers',
      component: () => import('./features/answers/AnswersView.vue'),
      props: true,
      meta: { title: 'Answers' },
    },
    {
      path: '/jobs/:id?',
      name: 'jobs',
      component: () => import('./features/jobs/JobsView.vue'),
      props: true,
      meta: { title: 'Jobs' },
    },
    {
      path: '/checkpoints',
      name: 'checkpoints',
      component: () => import('./features/checkpoints/CheckpointsView.vue'),
      meta: { title: 'Checkpoints' },
    },
    {
      path: '/checkpoints/compare',
      name: 'compareCheckpoints',
      component: () => import('./features/checkpoints/CompareView.vue'),
      meta: { title: 'Compare checkpoints' },
    },
    {
      path: '/checkpoints/:id',
      name: 'checkpoint',
      component: () => import('./features/checkpoints/CheckpointView.vue'),
      props: true,
      meta: { title: 'Checkpoint' },
    },
    {
      path: '/spectrum',
      name: 'spectrum',
      component: () => import('./features/spectrum/SpectrumView.vue'),
      meta: { title: 'Spectrum' },
    },
    {
      path: '/spectrum/:id',
      name: 'comparison',
      component: () => import('./features/spectrum/ComparisonView.vue'),
      props: true,
      meta: { title: 'Comparison' },
    },
    {
      path: '/ablations',
      name: 'ablations',
      component: () => import('./features/ablations/AblationsView.vue'),
      meta: { title: 'Ablations' },
    },
    {
      path: '/ablations/new',
      name: 'newAblation',
      component: () => import('./features/ablations/NewAblationView.vue'),
      meta: { title: 'New ablation' },
    },
    {
      path: '/ablations/:id',
      name: 'ablation',
      component: () => import('./features/ablations/AblationView.vue'),
      props: true,
      meta: { title: 'Ablation' },
    },
    {
      path: '/ablations/:id/answers',
      name: 'pointAnswers',
      component: () => import('./features/ablations/PointAnswersView.vue'),
      props: true,
      meta: { title: 'Answers' },
    },
    {
      path: '/figures',
      name: 'figures',
      component: () => import('./features/figures/FiguresView.vue'),
      meta: { title: 'Figures' },
    },
    {
      path: '/settings',
      name: 'settings',
      component: () => import('./features/settings/SettingsView.vue'),
      meta: { title: 'Settings' },
    },
    { path: '/:anything(.*)*', redirect: '/' },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});
