using System.Data.Common;

namespace ControlPlane.Host.Projections;

/// <summary>Plain ADO.NET with less ink, for any database: parameters are named <c>@name</c>.</summary>
static class Sql
{
    public static DbCommand Query(this DbConnection connection, string text, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        foreach (var (name, value) in parameters)
        {
            command.Add(name, value);
        }
        return command;
    }

    public static void Add(this DbCommand command, string name, object? value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value ?? DBNull.Value;
        command.Parameters.Add(parameter);
    }

    public static List<T> Rows<T>(this DbCommand command, Func<DbDataReader, T> read)
    {
        using (command)
        {
            using var reader = command.ExecuteReader();
            var rows = new List<T>();
            while (reader.Read())
            {
                rows.Add(read(reader));
            }
            return rows;
        }
    }

    public static T? First<T>(this DbCommand command, Func<DbDataReader, T> read)
    {
        using (command)
        {
            using var reader = command.ExecuteReader();
            return reader.Read() ? read(reader) : default;
        }
    }

    /// <summary>Carries out a statement that answers nothing, and says how many rows it changed.</summary>
    public static int Run(this DbCommand command)
    {
        using (command)
        {
            return command.ExecuteNonQuery();
        }
    }

    /// <summary>A row that takes the place of the one with the same key.</summary>
    public static string Upsert(string table, string key, params ReadOnlySpan<string> columns)
    {
        var all = string.Join(", ", columns);
        var given = string.Join(", ", columns.ToArray().Select(column => $"@{column}"));
        var changes = string.Join(", ", columns.ToArray().Select(column => $"{column} = excluded.{column}"));
        return $"INSERT INTO {table} ({all}) VALUES ({given}) ON CONFLICT ({key}) DO UPDATE SET {changes}";
    }

    public static byte[] Bytes(this DbDataReader reader, int column) => (byte[])reader.GetValue(column);

    public static string? TextOrNull(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static DateTimeOffset Time(this DbDataReader reader, int column) => new(reader.GetInt64(column), TimeSpan.Zero);
}
