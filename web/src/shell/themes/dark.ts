export { webDarkTheme as theme } from '@fluentui/tokens';
