// A menu that opens as soon as it is there, because its button was pressed to bring it (see LateMenu).
import { type ButtonProps, Menu, MenuPopover, type MenuProps, MenuTrigger } from '@fluentui/react-components';
import { cloneElement, type ReactElement, type ReactNode, type Ref, useEffect, useRef, useState } from 'react';

interface Props extends Pick<MenuProps, 'checkedValues' | 'onCheckedValueChange'> {
  trigger: ReactElement<ButtonProps & { ref?: Ref<HTMLButtonElement> }>;
  children: ReactNode;
}

export function OpenMenu({ trigger, children, ...menu }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    // It takes the place of the button that was pressed, so the focus must move to it: closing the menu brings the focus back here.
    button.current?.focus();
    setOpen(true);
  }, []);
  return (
    <Menu {...menu} open={open} onOpenChange={(_, data) => setOpen(data.open)}>
      <MenuTrigger disableButtonEnhancement>{cloneElement(trigger, { ref: button })}</MenuTrigger>
      <MenuPopover>{children}</MenuPopover>
    </Menu>
  );
}
