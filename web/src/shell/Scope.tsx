// The directory and project that the whole portal is narrowed to.
import { Button, makeStyles, Menu, MenuItemRadio, MenuList, MenuPopover, MenuTrigger } from '@fluentui/react-components';
import { Building20Regular, ChevronDown16Regular, Folder20Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { useMay } from '@/api/me';
import { directoriesQuery, projectsQuery } from '@/api/queries';
import { t } from '@/messages';
import { useScope, useSetSearch } from '@/shared/location';

const useStyles = makeStyles({
  button: { maxWidth: '220px', fontWeight: 400 },
  text: { overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' },
  list: { maxHeight: '60vh', overflowY: 'auto' },
});

export function ScopePickers() {
  const { directory, project } = useScope();
  const directories = useQuery({ ...directoriesQuery, enabled: useMay('directories.read') }).data?.items ?? [];
  const projects = useQuery({ ...projectsQuery, enabled: useMay('projects.read') }).data?.items ?? [];
  return (
    <>
      {(directories.length > 0 || directory) && <Picker param="directory" name={t.scope.directory} all={t.scope.allDirectories} icon={<Building20Regular />} items={directories} chosen={directory} />}
      {(projects.length > 0 || project) && <Picker param="project" name={t.scope.project} all={t.scope.allProjects} icon={<Folder20Regular />} items={projects} chosen={project} />}
    </>
  );
}

interface PickerProps {
  param: 'directory' | 'project';
  name: string;
  all: string;
  icon: ReactElement;
  items: { id: string; name: string }[];
  chosen?: string;
}

function Picker({ param, name, all, icon, items, chosen }: PickerProps) {
  const styles = useStyles();
  const set = useSetSearch();
  const label = chosen === undefined ? all : (items.find((item) => item.id === chosen)?.name ?? chosen);
  return (
    <Menu
      checkedValues={{ [param]: [chosen ?? ''] }}
      onCheckedValueChange={(_, data) => set({ [param]: data.checkedItems[0] || undefined, item: undefined, series: undefined, from: undefined, to: undefined })}
    >
      <MenuTrigger disableButtonEnhancement>
        <Button size="small" appearance={chosen ? 'outline' : 'subtle'} icon={icon} className={styles.button} aria-label={t.filter.is(name, label)}>
          <span className={styles.text}>{label}</span>
          <ChevronDown16Regular aria-hidden />
        </Button>
      </MenuTrigger>
      <MenuPopover>
        <MenuList className={styles.list}>
          {[{ id: '', name: all }, ...items].map((item) => (
            <MenuItemRadio key={item.id} name={param} value={item.id}>
              {item.name}
            </MenuItemRadio>
          ))}
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}

/** The name of a directory, for lists that carry its id only. */
export function useDirectoryName(): (id: string | null | undefined) => string | undefined {
  const directories = useQuery({ ...directoriesQuery, enabled: useMay('directories.read') }).data?.items;
  return (id) => (id ? (directories?.find((each) => each.id === id)?.name ?? id.slice(0, 8)) : undefined);
}

export function useProjectName(): (id: string | null | undefined) => string | undefined {
  const projects = useQuery({ ...projectsQuery, enabled: useMay('projects.read') }).data?.items;
  return (id) => (id ? (projects?.find((each) => each.id === id)?.name ?? id.slice(0, 8)) : undefined);
}
