/** The page's start: stores, routes, connection. main.ts took the token out of the address before. */
import './styles/theme.css';
import './styles/base.css';
import './styles/controls.css';
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { connectEngine } from './engine/engine.ts';
import { takeToken } from './engine/token.ts';
import { router } from './router.ts';
import { useApp } from './stores/app.ts';
import { useCheckpoints } from './stores/checkpoints.ts';
import { useJobs } from './stores/jobs.ts';
import { useOpenStudy } from './stores/openStudy.ts';
import { useRuns } from './stores/runs.ts';
import { useSpectra } from './stores/spectra.ts';
import { useStudies } from './stores/studies.ts';
import { useToasts } from './stores/toasts.ts';
import { useUi } from './stores/ui.ts';

const app = createApp(App);
app.use(createPinia());

// Every store listens before the first event can arrive.
useUi();
useApp();
useJobs();
useStudies();
useOpenStudy();
useCheckpoints();
useRuns();
useSpectra();
const { report, reportOfPage } = useToasts();
app.config.errorHandler = (error) => {
  console.error(error);
  report(error);
};
window.addEventListener('unhandledrejection', ({ reason }) => reportOfPage(reason));

app.use(router);
connectEngine(takeToken());
app.mount('#app');
