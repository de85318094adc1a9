// A button whose menu is loaded when somebody reaches for it. Menus weigh more than all else in the top bar, and most visits open none.
import type { ButtonProps } from '@fluentui/react-components';
import { cloneElement, type ComponentType, lazy, type ReactElement, Suspense, useState } from 'react';

/** What draws a menu, open, below its button. It wraps OpenMenu. */
export type MenuOf<P> = ComponentType<P & { trigger: ReactElement<ButtonProps> }>;

/** The component that `load` brings, with `trigger` in its place until it is wanted. The pointer or the focus on the button begins the loading. */
export function lateMenu<P extends object>(load: () => Promise<{ default: MenuOf<P> }>) {
  const Menu = lazy(load) as unknown as MenuOf<P>;
  return function LateMenu(props: P & { trigger: ReactElement<ButtonProps> }) {
    const [wanted, setWanted] = useState(false);
    const reach = () => void load().catch(() => undefined);
    const button = cloneElement(props.trigger, { 'aria-haspopup': 'menu', 'aria-expanded': false, onPointerEnter: reach, onFocus: reach, onClick: () => setWanted(true) });
    if (!wanted) return button;
    return (
      <Suspense fallback={button}>
        <Menu {...props} />
      </Suspense>
    );
  };
}
