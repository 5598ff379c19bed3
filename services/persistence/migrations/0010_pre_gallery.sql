-- Search, favourites, albums, shares and read marks.
SELECT 1;
