-- Rows of a database of version 1. Never changed.
INSERT INTO exchanges VALUES ('2026-01-02 03:04:05.678901', 255, '2026-01-02', 1, 1, 1, 1, 1, 'e1', 12300, '/orders/42', 200, 2, 10, 0, 281473902970889, '');
INSERT INTO endpoints VALUES (1, '2026-01-02', 'prod', 'shop', 'GET', 'https', 'api.shop.example', '/orders/{var1}', '1.1');
INSERT INTO agents VALUES (1, '2026-01-02', 'curl/8.9', '', '');
INSERT INTO identities VALUES (1, '2026-01-02', 0, true, '33000000-0000-0000-0000-000000000000', 'abc…', NULL, 0, 'shop', 0, 0, 0, 2, 'SESS', false, NULL, 0, false, '', '', NULL, NULL, NULL, NULL);
INSERT INTO contexts VALUES (1, '2026-01-02', 0, 0, 'user', 'user', 0, 'alice', false);
INSERT INTO sessions VALUES (1, '11000000-0000-0000-0000-000000000000', '2026-01-02', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678901', 1, 0, 'prod', 2, NULL, 'alice', '', NULL, '', NULL, 0, 'shop', 0, 1);
INSERT INTO links VALUES (1, '2026-01-02 03:04:05.678901', NULL, '33000000-0000-0000-0000-000000000000', 'abc…', 0, 'shop', 'first', 1, 255, NULL);
INSERT INTO state VALUES ('22000000-0000-0000-0000-000000000000', 1, '2026-01-02', 'state');
INSERT INTO positions VALUES ('file', 1, '7');
