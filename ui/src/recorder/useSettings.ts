import { useMutation, useQueryClient } from '@tanstack/react-query';
import { recorder, type Settings, type Standing } from './bridge';

/** What the worker chose, and the way to choose something else. */
export function useSettings() {
  const queries = useQueryClient();
  const key = ['standing'];
  const settings = queries.getQueryData<Standing>(key)?.settings;
  const show = (chosen: Settings) => queries.setQueryData(key, (standing: Standing | undefined) => standing && { ...standing, settings: chosen });
  const keep = useMutation({ mutationFn: recorder.choose, onSuccess: show });
  const choose = (change: Partial<Settings>) => settings && keep.mutate({ ...settings, ...change });
  return { settings, choose, error: keep.error };
}
