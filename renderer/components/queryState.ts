/**
 * What a page shows, in its address: filters, sorting, what is chosen. So every state has a link, survives a reload, and goes
 * back with the browser. A page that is opened without any comes back as it was left.
 */
import { reactive, watch } from 'vue';
import { useRoute, useRouter, type LocationQuery } from 'vue-router';
import { useUi } from '../stores/ui.ts';

/** Pages that come back as they were left. */
const rememberedPages = 50;

/** @param initial value of every name that is not in the address, and is then left out of it */
export function useQueryState<Name extends string>(initial: Record<Name, string>): Record<Name, string> {
  const route = useRoute();
  const router = useRouter();
  const ui = useUi();
  const { path } = route;
  const names = Object.keys(initial) as Name[];
  const read = (query: LocationQuery): Record<Name, string> => {
    const entries = names.map((name) => [name, typeof query[name] === 'string' ? query[name] : initial[name]]);
    return Object.fromEntries(entries) as Record<Name, string>;
  };
  const state = reactive({ ...initial }) as Record<Name, string>;

  watch(
    () => route.query,
    (query) => {
      if (route.path === path) Object.assign(state, read(query));
    },
  );
  watch(state, () => {
    if (route.path !== path) return;
    const own = Object.fromEntries(
      names.filter((name) => state[name] !== initial[name]).map((name) => [name, state[name]]),
    );
    const kept = Object.entries(ui.state.pageQueries).filter(([other]) => other !== path);
    ui.state.pageQueries = Object.fromEntries([...kept.slice(1 - rememberedPages), [path, own]]);
    // What others keep in the address stays there.
    const others = Object.entries(route.query).filter(([name]) => !(name in initial));
    const query = { ...Object.fromEntries(others), ...own };
    if (JSON.stringify(query) !== JSON.stringify(route.query)) void router.replace({ query });
  });
  const isBare = !names.some((name) => name in route.query);
  Object.assign(state, read(isBare ? (ui.state.pageQueries[path] ?? {}) : route.query));
  return state;
}
